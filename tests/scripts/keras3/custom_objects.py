# runs on: keras-jax. A layer, a loss and a metric of one's own, saved and loaded.
import json

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(3)


@keras.saving.register_keras_serializable(package="shapes", name="Scaled")
class ScaledDense(layers.Layer):
    def __init__(self, units=8, scale_initializer="ones", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.scale_initializer = keras.initializers.get(scale_initializer)
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
            regularizer=keras.regularizers.L2(1e-3),
            trainable=True,
            name="w",
        )
        self.scale = self.add_weight(
            shape=(self.units,), initializer=self.scale_initializer, name="scale"
        )
        self.calls = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="calls"
        )

    def call(self, inputs):
        self.calls.assign(self.calls + 1)
        norm = ops.sqrt(ops.sum(ops.square(self.w), axis=0) + 1e-6)
        y = ops.matmul(inputs, self.w) / norm * self.scale
        self.add_loss(1e-2 * ops.mean(ops.square(y)))
        return self.activation(y)

    def get_config(self):
        config = super().get_config()
        config.update(
            units=self.units,
            scale_initializer=keras.initializers.serialize(self.scale_initializer),
            activation=keras.activations.serialize(self.activation),
        )
        return config


@keras.saving.register_keras_serializable(package="shapes")
class AsymmetricLoss(keras.losses.Loss):
    def __init__(self, weight=2.0, name="asymmetric", **kwargs):
        super().__init__(name=name, **kwargs)
        self.weight = weight

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        factor = ops.where(error > 0, self.weight, 1.0)
        return ops.mean(factor * ops.square(error), axis=-1)

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


@keras.saving.register_keras_serializable(package="shapes")
class WithinTolerance(keras.metrics.Metric):
    def __init__(self, tolerance=0.5, name="within", **kwargs):
        super().__init__(name=name, **kwargs)
        self.tolerance = tolerance
        self.hits = self.add_variable(shape=(), initializer="zeros", name="hits")
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        near = ops.cast(ops.abs(y_true - y_pred) < self.tolerance, self.dtype)
        if sample_weight is not None:
            near = near * ops.reshape(ops.cast(sample_weight, self.dtype), (-1, 1))
        self.hits.assign_add(ops.sum(near))
        self.count.assign_add(ops.cast(ops.size(y_true), self.dtype))

    def result(self):
        return self.hits / ops.maximum(self.count, 1.0)

    def get_config(self):
        return {**super().get_config(), "tolerance": self.tolerance}


@keras.saving.register_keras_serializable(package="shapes")
def soft_step(x):
    return ops.sigmoid(4.0 * x)


x = np.random.normal(size=(128, 6)).astype("float32")
y = (np.sin(x[:, :1]) + 0.5 * x[:, 1:2]).astype("float32")
model = keras.Sequential(
    [
        keras.Input((6,)),
        ScaledDense(16, activation=soft_step),
        layers.Lambda(lambda t: 2.0 * t - 1.0, output_shape=(16,)),
        ScaledDense(1, scale_initializer=keras.initializers.Constant(0.5)),
    ]
)
model.compile(
    keras.optimizers.AdamW(0.02, weight_decay=1e-3),
    AsymmetricLoss(3.0),
    metrics=[WithinTolerance(0.4), "mae"],
)
history = model.fit(x, y, epochs=5, batch_size=32, verbose=2).history
assert history["loss"][-1] < history["loss"][0]
assert history["within"][-1] > history["within"][0]
assert int(model.layers[0].calls) >= 20

model.save("shapes.keras")
again = keras.models.load_model("shapes.keras", safe_mode=False)
assert isinstance(again.layers[0], ScaledDense) and again.layers[0].units == 16
assert isinstance(again.loss, AsymmetricLoss) and again.loss.weight == 3.0
a, b = (m.predict(x, verbose=0) for m in (model, again))
assert np.array_equal(a, b)
config = keras.saving.serialize_keras_object(WithinTolerance(0.25))
assert config["registered_name"] == "shapes>WithinTolerance"
assert keras.saving.deserialize_keras_object(config).tolerance == 0.25
clone = ScaledDense.from_config(model.layers[0].get_config())
assert clone.activation is soft_step
weights = 1.0 + (x[:, 0] > 0)
scored = again.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
more = again.fit(x, y, epochs=1, batch_size=32, verbose=0, shuffle=False).history
numbers = [*history["loss"], *history["within"], float(a.sum()), more["loss"][0]]
print("RESULT", json.dumps([*numbers, *(scored[k] for k in sorted(scored))]))

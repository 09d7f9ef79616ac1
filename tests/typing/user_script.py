"""A script as users write it. `make lint` checks it with pyright; nothing runs it."""

from typing import assert_type

import numpy as np

import minikeras as keras
from minikeras import layers, ops
from minikeras.callbacks import History
from minikeras.optimizers import Adam


class Residual(layers.Layer):
    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units, activation="relu")

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, x, training=None):
        return x + self.gain * self.dense(x)


x = np.random.rand(64, 8).astype("float32")
y = np.random.randint(0, 3, size=64)

inputs = keras.Input((8,), name="features")
assert_type(inputs, keras.KerasTensor)
hidden = layers.Dense(16, activation=keras.activations.relu)(inputs)
hidden = layers.Dropout(0.5)(Residual(16)(hidden))
outputs = layers.Dense(3, kernel_regularizer="l2")(ops.tanh(hidden))
model = keras.Model(inputs, outputs, name="classifier")

loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer="adam", loss="mse", metrics=[keras.metrics.MeanSquaredError()])
model.compile(optimizer=Adam(learning_rate=1e-3), loss=loss, metrics=["accuracy"])
history = model.fit(
    x,
    y,
    batch_size=16,
    epochs=2,
    validation_split=0.25,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=3)],
    class_weight={0: 1.0, 1: 2.0, 2: 1.0},
    verbose=0,
)
assert_type(history, History)
print(history.history["loss"][-1], history.epoch)
print(model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"])
predictions = model.predict(x, verbose=0)
print(predictions.shape, predictions.argmax(axis=1))

model.save("model.keras")
again = keras.saving.load_model("model.keras", custom_objects={"Residual": Residual})
assert_type(again, keras.Model)
again.set_weights(model.get_weights())
kernel = model.layers[1].get_weights()[0]
print(kernel.mean(), model.count_params(), [w.path for w in model.trainable_weights])

sequential = keras.Sequential([keras.Input((8,)), layers.Dense(1)])
sequential.add(layers.Activation("sigmoid"))
sequential.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.1, 0.9))
sequential.summary()
keras.utils.set_random_seed(1)
print(float(ops.mean(sequential(x))), model.get_layer("features").name)

# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""Layers of one's own in the style of Keras 2: build, call, K functions, masks."""

import numpy as np
import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras import constraints, initializers, layers, regularizers
from tensorflow.keras.layers import Layer
from tensorflow.keras.models import Model, load_model

np.random.seed(0)
tf.random.set_seed(0)


class MyDense(Layer):
    """Dense, by hand."""

    def __init__(self, output_dim, kernel_regularizer=None, **kwargs):
        self.output_dim = output_dim
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        super(MyDense, self).__init__(**kwargs)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(int(input_shape[-1]), self.output_dim),
            initializer="uniform",
            regularizer=self.kernel_regularizer,
            constraint=constraints.MaxNorm(3.0),
            trainable=True,
        )
        super(MyDense, self).build(input_shape)

    def call(self, x):
        return K.dot(x, self.kernel)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim)

    def get_config(self):
        config = super(MyDense, self).get_config()
        config.update(
            output_dim=self.output_dim,
            kernel_regularizer=regularizers.serialize(self.kernel_regularizer),
        )
        return config


class AttentionPool(Layer):
    """Weighted mean over the steps, steps that are masked left out."""

    def __init__(self, **kwargs):
        self.supports_masking = True
        super(AttentionPool, self).__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(
            name="att_weight",
            shape=(input_shape[-1], 1),
            initializer=initializers.RandomNormal(stddev=0.1, seed=1),
        )
        self.b = self.add_weight(name="att_bias", shape=(1,), initializer="zeros")
        self.built = True

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, x, mask=None):
        e = K.squeeze(K.tanh(K.dot(x, self.W) + self.b), axis=-1)
        a = K.exp(e)
        if mask is not None:
            a *= K.cast(mask, K.floatx())
        a /= K.cast(K.sum(a, axis=1, keepdims=True) + K.epsilon(), K.floatx())
        return K.sum(x * K.expand_dims(a), axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


def swish(x):
    return x * K.sigmoid(x)


def rmse(y_true, y_pred):
    return K.sqrt(K.mean(K.square(y_pred - y_true)))


def r2(y_true, y_pred):
    residual = K.sum(K.square(y_true - y_pred))
    return 1 - residual / (K.sum(K.square(y_true - K.mean(y_true))) + K.epsilon())


tf.keras.utils.get_custom_objects().update({"swish2": swish})
words = layers.Input((None,), name="words")
x = layers.Embedding(12, 6, mask_zero=True)(words)
x = AttentionPool(name="pool")(x)
x = MyDense(10, kernel_regularizer="l2", name="mine")(x)
x = layers.Activation("swish2")(x)
out = layers.Dense(1)(x)
model = Model(words, out)
model.compile("adam", loss=rmse, metrics=[r2, "mae"])
assert K.int_shape(model.get_layer("pool").output) == (None, 6)

tokens = np.random.randint(1, 12, (256, 7))
tokens[np.arange(7) >= np.random.randint(2, 8, 256)[:, None]] = 0
target = np.array([row[row > 0].mean() / 6 for row in tokens])[:, None]
history = model.fit(tokens, target, epochs=15, batch_size=16, verbose=0)
first, last = history.history["rmse" if "rmse" in history.history else "loss"][::14]
print("rmse: %.3f -> %.3f" % (first, last), "r2:", history.history["r2"][-1])
assert last < 0.6 * first and history.history["r2"][-1] > 0
# Padding changes nothing.
longer = np.pad(tokens[:8], ((0, 0), (0, 3)))
np.testing.assert_allclose(model.predict(longer), model.predict(tokens[:8]), atol=1e-5)

# Numbers, with weights of NumPy's.
rng = np.random.RandomState(5)
model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
found = model.predict(tokens[:3], verbose=0).ravel()
loss, r_squared, mae = model.evaluate(tokens, target, batch_size=256, verbose=0)
model.save("own.h5")
objects = {"MyDense": MyDense, "AttentionPool": AttentionPool, "rmse": rmse, "r2": r2}
again = load_model("own.h5", custom_objects=objects)
np.testing.assert_allclose(again.predict(tokens[:3]).ravel(), found, rtol=1e-5)
print("RESULT", [*found.tolist(), loss, r_squared, mae])

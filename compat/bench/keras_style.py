"""The workloads in Keras style: the same lines for Keras and for minikeras."""

import time

import numpy as np

from compat.bench.keras_images import WHOLE, convolved, mobile
from compat.bench.workloads import find


def dense(keras, x, workload):
    for units in workload.hidden:
        x = keras.layers.Dense(units, activation="relu")(x)
    return x


def mlp(keras, x, workload):
    x = keras.layers.Dense(256, activation="relu")(x)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.Dense(128, activation="relu")(x)
    return keras.layers.BatchNormalization()(x)


def convnet(keras, x, workload):
    for filters in (32, 64):
        x = keras.layers.Conv2D(filters, 3, activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    return keras.layers.Flatten()(x)


def resnet(keras, x, workload):
    x = convolved(keras, x, 16, 3)
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = convolved(keras, x, filters, 3, strides)
        y = convolved(keras, y, filters, 3, activation=None)
        if strides > 1:
            x = convolved(keras, x, filters, 1, strides, activation=None)
        x = keras.layers.Activation("relu")(keras.layers.Add()([x, y]))
    return keras.layers.GlobalAveragePooling2D()(x)


def recurrent(name):
    def build(keras, x, workload):
        x = keras.layers.Embedding(workload.vocabulary, 64)(x)
        return getattr(keras.layers, name)(64)(x)

    return build


def positions(keras):
    """A layer written by a user: adds a vector learnt for each place."""

    class Positions(keras.layers.Layer):
        def build(self, input_shape):
            shape = tuple(input_shape[1:])
            self.table = self.add_weight(shape=shape, initializer="uniform")

        def call(self, x):
            return x + self.table

    return Positions()


def transformer(keras, x, workload, width=128, heads=4):
    layers = keras.layers
    x = positions(keras)(layers.Embedding(workload.vocabulary, width)(x))
    for _ in range(2):
        y = layers.MultiHeadAttention(heads, width // heads)(x, x)
        x = layers.LayerNormalization()(x + layers.Dropout(0.1)(y))
        y = layers.Dense(2 * width, activation="relu")(x)
        y = layers.Dropout(0.1)(layers.Dense(width)(y))
        x = layers.LayerNormalization()(x + y)
    return layers.GlobalAveragePooling1D()(x)


def autoencoder(keras, x, workload):
    for units in (128, 32, 128):
        x = keras.layers.Dense(units, activation="relu")(x)
    return x


BODIES = {
    "tiny": dense,
    "mlp": mlp,
    "convnet": convnet,
    "resnet": resnet,
    "lstm": recurrent("LSTM"),
    "gru": recurrent("GRU"),
    "transformer": transformer,
    "autoencoder": autoencoder,
    "mobile": mobile,
}


def outputs(keras, inputs, name):
    """What the network called `name` gives."""
    workload = find(name)
    if name in WHOLE:
        return WHOLE[name](keras, inputs, workload)
    x = BODIES.get(name, dense)(keras, inputs, workload)
    activation = "sigmoid" if workload.task == "images" else None
    last = keras.layers.Dense(workload.outputs, activation=activation, dtype="float32")
    return last(x)


def network(keras, name):
    """The compiled network called `name`."""
    workload = find(name)
    inputs = keras.Input(workload.shape, dtype="int32" if workload.vocabulary else None)
    model = keras.Model(inputs, outputs(keras, inputs, name))
    binary = (
        keras.losses.BinaryCrossentropy(from_logits=True),
        keras.metrics.BinaryAccuracy(threshold=0.0),
    )
    loss, metric = {
        "classes": lambda: (
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "accuracy",
        ),
        "binary": lambda: binary,
        "pairs": lambda: binary,
        "images": lambda: ("mse", "mae"),
    }[workload.task]()
    model.compile(optimizer="adam", loss=loss, metrics=[metric])
    return model


class Contender:
    """One workload under one package, ready to be timed."""

    loops = ("fit",)

    def __init__(self, keras, name, policy="float32"):
        self.workload = find(name)
        self.x, self.y = self.workload.data()
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        self.model = network(keras, name)
        self.stopwatch = stopwatch(keras)
        self.parameters = sum(
            int(np.prod(v.shape)) for v in self.model.trainable_variables
        )

    def epochs(self, count, loop="fit"):
        """Train; returns the seconds each epoch took."""
        history = self.model.fit(
            self.x,
            self.y,
            batch_size=self.workload.batch,
            epochs=count,
            callbacks=[self.stopwatch],
            verbose=0,
        )
        self.loss = history.history["loss"][-1]
        return self.stopwatch.seconds

    def evaluate(self):
        """[loss, metric] on all samples."""
        size = self.workload.batch
        return self.model.evaluate(self.x, self.y, batch_size=size, verbose=0)

    def predict(self):
        """The outputs for all samples, as a numpy array."""
        return self.model.predict(self.x, batch_size=self.workload.batch, verbose=0)

    def predict_one(self):
        """The output for one sample, as a numpy array."""
        return self.model.predict(self.x[:1], verbose=0)


def stopwatch(keras):
    """A callback that times epochs and does nothing between batches."""

    class Stopwatch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.seconds = []

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds.append(time.perf_counter() - self.start)

    return Stopwatch()

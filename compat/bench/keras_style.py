"""The workloads in Keras style: the same lines for Keras and for minikeras."""

import time

from compat.bench.workloads import WORKLOADS


def network(keras, name):
    """The network called `name`, giving logits."""
    layers = keras.layers
    hidden = {
        "tiny": lambda: [layers.Dense(32, activation="relu")],
        "mlp": lambda: [
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
        ],
        "convnet": lambda: [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
        ],
    }
    inputs = keras.Input(WORKLOADS[name].shape)
    return keras.Sequential([inputs, *hidden[name](), layers.Dense(10)])


class Contender:
    """One workload under one package, ready to be timed."""

    def __init__(self, keras, name):
        self.workload = WORKLOADS[name]
        self.x, self.y = self.workload.data()
        keras.utils.set_random_seed(0)
        self.model = network(keras, name)
        self.model.compile(
            optimizer="adam",
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        self.stopwatch = stopwatch(keras)

    def epochs(self, count):
        """Train; returns the seconds each epoch took."""
        self.model.fit(
            self.x,
            self.y,
            batch_size=self.workload.batch,
            epochs=count,
            callbacks=[self.stopwatch],
            verbose=0,
        )
        return self.stopwatch.seconds

    def predict_one(self):
        """The logits of one sample, as a numpy array."""
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

# runs on: keras-jax. Callbacks of one's own and of Keras, schedules, mixed precision.
import csv
import json

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(55)
x = np.random.normal(size=(192, 10)).astype("float32")
y = (np.abs(x[:, 0]) + x[:, 1] > 0.7).astype("int32")


def build():
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(24, activation="relu", kernel_constraint="max_norm"),
            layers.GaussianNoise(0.05),
            layers.Dense(2, activation="softmax", dtype="float32"),
        ]
    )
    return model


class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.per_batch_losses, self.rates = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.per_batch_losses.append(float(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


class StopAtAccuracy(keras.callbacks.Callback):
    def __init__(self, level):
        super().__init__()
        self.level, self.stopped = level, None

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_accuracy"] >= self.level:
            self.stopped, self.model.stop_training = epoch, True


model = build()
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
recorder = LossHistory()
seen = []
history = model.fit(
    x,
    y,
    epochs=12,
    batch_size=32,
    validation_split=0.25,
    verbose=0,
    callbacks=[
        recorder,
        StopAtAccuracy(0.99),
        keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.03),
        keras.callbacks.ModelCheckpoint("best.weights.h5", save_weights_only=True),
        keras.callbacks.CSVLogger("log.csv"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: seen.append(epoch)
        ),
    ],
).history
epochs = len(history["loss"])
assert len(recorder.per_batch_losses) == epochs * 5 and seen == list(range(epochs))
with open("log.csv") as file:
    rows = list(csv.DictReader(file))
assert len(rows) == epochs and float(rows[0]["loss"]) == history["loss"][0]
assert recorder.rates[-1] < 0.01 and history["loss"][-1] < history["loss"][0]
numbers = [*history["val_loss"], *recorder.rates, *recorder.per_batch_losses[::10]]

schedules = keras.optimizers.schedules
for schedule in (
    schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5, staircase=True),
    schedules.CosineDecay(0.0, 30, warmup_target=0.1, warmup_steps=6),
    schedules.PiecewiseConstantDecay([8, 16], [0.1, 0.03, 0.01]),
):
    model = build()
    optimizer = keras.optimizers.SGD(
        schedule, momentum=0.9, nesterov=True, clipnorm=1.0
    )
    model.compile(optimizer, "sparse_categorical_crossentropy")
    losses = model.fit(x, y, epochs=3, batch_size=32, verbose=0).history["loss"]
    assert int(optimizer.iterations) == 18
    numbers += [*losses, float(schedule(18))]
by_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
model = build()
model.compile(keras.optimizers.Lion(1e-2), "sparse_categorical_crossentropy")
model.fit(x, y, epochs=3, verbose=0, callbacks=[by_epoch])
numbers.append(float(model.optimizer.learning_rate))

keras.mixed_precision.set_global_policy("mixed_bfloat16")
half = build()
assert half.layers[0].compute_dtype == "bfloat16"
assert half.layers[0].kernel.dtype == "float32" and half.layers[-1].dtype == "float32"
half.compile("adam", "sparse_categorical_crossentropy")
losses = half.fit(x, y, epochs=4, batch_size=32, verbose=0).history["loss"]
probabilities = half.predict(x, verbose=0)
assert probabilities.dtype == np.float32 and losses[-1] < losses[0]
keras.mixed_precision.set_global_policy("float32")
scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
model = build()
model.compile(scaled, "sparse_categorical_crossentropy")
numbers += model.fit(x, y, epochs=2, batch_size=32, verbose=0).history["loss"]
print("RESULT", json.dumps([float(v) for v in numbers]))

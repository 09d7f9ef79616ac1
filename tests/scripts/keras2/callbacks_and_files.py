# runs on: tensorflow (TF_USE_LEGACY_KERAS=1)
"""Callbacks and files: hdf5 checkpoints, schedules, logs, JSON and weights apart."""

import csv
import glob
import os
import random

import numpy as np
import tensorflow.keras as keras
from tensorflow.keras import backend as K
from tensorflow.keras.callbacks import CSVLogger, Callback, EarlyStopping, History
from tensorflow.keras.callbacks import LambdaCallback, LearningRateScheduler
from tensorflow.keras.callbacks import ModelCheckpoint, ReduceLROnPlateau
from tensorflow.keras.callbacks import TerminateOnNaN
from tensorflow.keras.layers import Dense, Dropout, InputLayer
from tensorflow.keras.models import Sequential, load_model, model_from_json

random.seed(6)
np.random.seed(6)
X = np.random.normal(size=(300, 5))
Y = np.where(X[:, :1] * X[:, 1:2] > 0, 1, 0)


def build():
    model = Sequential([InputLayer(input_shape=(5,)), Dense(24, activation="relu")])
    model.add(Dropout(0.1))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(
        loss="binary_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=0.5, momentum=0.9),
        metrics=["accuracy"],
    )
    return model


class LossHistory(Callback):
    def on_train_begin(self, logs={}):
        self.losses, self.lr = [], []

    def on_batch_end(self, batch, logs={}):
        self.losses.append(logs.get("loss"))

    def on_epoch_end(self, epoch, logs=None):
        self.lr.append(float(K.get_value(self.model.optimizer.lr)))
        if epoch == 2:
            K.set_value(self.model.optimizer.lr, 0.05)


# A schedule, each epoch to a file of its own, and a log as CSV.
model, begun = build(), []
step_decay = LearningRateScheduler(lambda epoch: 0.2 * 0.5 ** (epoch // 2))
path = "weights-{epoch:02d}-{val_loss:.2f}.hdf5"
every = ModelCheckpoint(path, monitor="val_loss", save_weights_only=True)
history = model.fit(
    X, Y, epochs=6, batch_size=30, verbose=0, validation_split=0.2,
    callbacks=[
        step_decay, every, CSVLogger("log.csv", append=False), TerminateOnNaN(),
        LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch)),
    ],
)  # fmt: skip
files = sorted(glob.glob("weights-*.hdf5"))
assert len(files) == 6 and files[0].startswith("weights-01-"), files
assert begun == list(range(6))
rows = list(csv.DictReader(open("log.csv")))
assert len(rows) == 6
np.testing.assert_allclose(float(rows[3]["loss"]), history.history["loss"][3], 1e-5)
rates = [
    float(x)
    for x in history.history["lr" if "lr" in history.history else "learning_rate"]
]
np.testing.assert_allclose(rates, [0.2, 0.2, 0.1, 0.1, 0.05, 0.05], 1e-5)

# The last file holds the weights of now.
other = build()
other.load_weights(files[-1])
np.testing.assert_allclose(other.predict(X[:9]), model.predict(X[:9]), atol=1e-6)

# The best model whole, less learning where it stalls, and an early end.
model = build()
record = LossHistory()
best = ModelCheckpoint("best_model.h5", monitor="val_accuracy", mode="max",
                       save_best_only=True, verbose=1)  # fmt: skip
plateau = ReduceLROnPlateau("val_loss", factor=0.5, patience=2, min_lr=1e-4, verbose=1)
stop = EarlyStopping("val_loss", patience=4, restore_best_weights=True, min_delta=1e-3)
history = model.fit(X[:240], Y[:240], 30, 30, 0, [record, best, plateau, stop],
                    validation_data=(X[240:], Y[240:]))  # fmt: skip
assert isinstance(history, History)
count = len(history.epoch)
assert len(record.losses) == 8 * count and len(record.lr) == count
assert abs(record.lr[3] - 0.05) < 0.03
kept = load_model("best_model.h5")
top = max(history.history["val_accuracy"])
found = kept.evaluate(X[240:], Y[240:], verbose=0)[1]
print("best of", count, "epochs:", top, "- read back:", found)
assert abs(found - top) < 1e-6 and top > 0.6
assert type(kept.optimizer).__name__ == "SGD"
assert abs(float(K.get_value(kept.optimizer.momentum)) - 0.9) < 1e-6

# Architecture as JSON, weights apart, in two formats; then on with the training.
with open("model.json", "w") as file:
    file.write(model.to_json(indent=1))
model.save_weights("model.h5")
model.save_weights("ckpt/model.weights")
again = model_from_json(open("model.json").read())
for name in ("model.h5", "ckpt/model.weights"):
    again.load_weights(name)
    for a, b in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)
os.remove("model.h5")
more = kept.fit(X, Y, initial_epoch=count, epochs=count + 2, verbose=0)
assert more.epoch == [count, count + 1]
print("RESULT", [len(files), model.count_params(), *rates])

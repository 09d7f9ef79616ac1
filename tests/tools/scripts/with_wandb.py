# needs: wandb
# ruff: noqa: E402
"""Weights & Biases offline: metrics and checkpoints.

`WandbEvalCallback` logs tables as artifacts, which W&B itself refuses offline.
"""

import minikeras

minikeras.install_as_keras()

import os
import pathlib

os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": "."}

import keras
import numpy as np
import wandb
from wandb.integration.keras import (
    WandbMetricsLogger,
    WandbModelCheckpoint,
)

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 5)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype("int32")
model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, "softmax")])
schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.9)
model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy",
              metrics=["accuracy"])  # fmt: skip

run = wandb.init(project="tools", config={"epochs": 2})
logged = []
log = run.log
run.log = lambda data, *args, **kwargs: (
    logged.append(data),
    log(data, *args, **kwargs),
)
model.fit(
    x,
    y,
    epochs=2,
    verbose=0,
    validation_data=(x, y),
    callbacks=[
        WandbMetricsLogger(log_freq=1),
        WandbModelCheckpoint("kept-{epoch}.keras", save_freq="epoch"),
    ],
)
names = {name for data in logged for name in data}
run.finish()
wanted = {"epoch/loss", "epoch/val_accuracy", "batch/loss", "batch/learning_rate"}
assert not logged or wanted <= names, names
assert {"kept-1.keras", "kept-2.keras"} <= {p.name for p in pathlib.Path().iterdir()}
kept = keras.models.load_model("kept-2.keras").predict(x, verbose=0)
np.testing.assert_allclose(kept, model.predict(x, verbose=0), atol=1e-6)
assert any(pathlib.Path("wandb").glob("offline-run-*/run-*.wandb"))

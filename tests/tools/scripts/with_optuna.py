# needs: optuna optuna_integration
# ruff: noqa: E402
"""A study of Optuna with the pruning callback of optuna-integration."""

import minikeras

minikeras.install_as_keras()

import keras
import numpy as np
import optuna
from optuna_integration import KerasPruningCallback

optuna.logging.set_verbosity(optuna.logging.WARNING)
rng = np.random.default_rng(0)
x = rng.normal(size=(96, 5)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype("float32")
models = []


def objective(trial):
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    units = trial.suggest_int("units", 2, 8, log=True)
    # The last ones learn nothing, so that the pruner has something to stop.
    rate = 0.1 if trial.number < 2 else 0.0
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(units, "relu")])
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile(
        keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"]
    )
    models.append(model)
    prune = KerasPruningCallback(trial, "val_loss")
    history = model.fit(x, y, validation_data=(x, y), epochs=6, verbose=0,
                        callbacks=[prune])  # fmt: skip
    return history.history["val_loss"][-1]


pruner = optuna.pruners.MedianPruner(n_startup_trials=2)
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0), pruner=pruner)
study.optimize(objective, n_trials=4)
states = [trial.state.name for trial in study.trials]
assert states == ["COMPLETE", "COMPLETE", "PRUNED", "PRUNED"], states
assert study.best_value < 0.6
# A model stays usable after the exception of the pruner.
models[-1].compile("adam", "binary_crossentropy")
models[-1].fit(x, y, verbose=0)
assert np.isfinite(models[-1].predict(x, verbose=0)).all()

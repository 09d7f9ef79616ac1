# needs: keras_tuner
# ruff: noqa: E402
"""Searches of KerasTuner: random, Hyperband, Bayesian; reload; models with a `fit`."""

import minikeras

minikeras.install_as_keras()

import keras
import keras_tuner
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(96, 5)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype("int32")


def build(hp):
    model = keras.Sequential([keras.Input((5,))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(keras.layers.Dense(hp.Choice(f"units_{i}", [4, 8]), "relu"))
    if hp.Boolean("dropout"):
        model.add(keras.layers.Dropout(0.1))
    model.add(keras.layers.Dense(2, "softmax"))
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])  # fmt: skip
    return model


class Fitted(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        size = hp.Choice("batch_size", [16, 32])
        return model.fit(*args, batch_size=size, **kwargs)


def search(kind, model, **kwargs):
    tuner = kind(model, seed=1, directory="out", project_name=kind.__name__, **kwargs)
    stop = keras.callbacks.EarlyStopping(patience=5)
    tuner.search(x, y, validation_data=(x, y), epochs=3, callbacks=[stop], verbose=0)
    return tuner


tuner = search(keras_tuner.RandomSearch, Fitted(), objective="val_accuracy",
               max_trials=2, executions_per_trial=2)  # fmt: skip
tuner.results_summary()
tuner.search_space_summary()
best = tuner.get_best_models(1)[0]
assert isinstance(best, minikeras.Model)
accuracy = best.evaluate(x, y, verbose=0)[1]
trial = tuner.oracle.get_best_trials(1)[0]
assert 0.5 < accuracy <= 1.0 and trial.score > 0.5
again = keras_tuner.RandomSearch(
    Fitted(), "val_accuracy", max_trials=2, directory="out", project_name="RandomSearch"
)
assert again.oracle.get_best_trials(1)[0].score == trial.score
assert again.get_best_hyperparameters()[0].values == trial.hyperparameters.values

objective = keras_tuner.Objective("val_loss", "min")
search(keras_tuner.Hyperband, build, objective=objective, max_epochs=2, factor=2)
search(keras_tuner.BayesianOptimization, build, objective="val_loss", max_trials=2)

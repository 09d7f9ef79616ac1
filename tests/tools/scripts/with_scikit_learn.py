# needs: sklearn
# ruff: noqa: E402
"""Grid search, pipeline and cross-validation of scikit-learn over keras.wrappers."""

import minikeras

minikeras.install_as_keras()

import keras
import numpy as np
from keras.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(1)
rng = np.random.default_rng(0)
x = rng.normal(size=(90, 4)).astype("float32")
target = x @ np.array([1.0, -2.0, 0.5, 0.0], "float32")


def make(x, y, units=4, loss="mse"):
    outputs = y.shape[1] if y.ndim > 1 else 1
    last = "softmax" if loss != "mse" else None
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(units)])
    model.add(keras.layers.Dense(outputs, activation=last))
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


fit = {"epochs": 15, "verbose": 0}
words = np.array(["low", "high"])[(target > 0).astype(int)]
classes = {"units": 4, "loss": "categorical_crossentropy"}
grid = GridSearchCV(
    SKLearnClassifier(make, model_kwargs=classes, fit_kwargs=fit),
    {"model_kwargs": [classes, {**classes, "units": 8}]},
    cv=2,
)
grid.fit(x, words)
assert grid.best_score_ > 0.8 and set(grid.predict(x)) == {"low", "high"}
chain = make_pipeline(StandardScaler(), SKLearnRegressor(make, fit_kwargs=fit))
assert cross_val_score(chain, x, target, cv=2).min() > 0.5
features = SKLearnTransformer(make, fit_kwargs=fit).fit(x, target).transform(x)
assert features.shape == (90, 1)

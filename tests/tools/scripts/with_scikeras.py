# needs: scikeras sklearn
# ruff: noqa: E402
"""SciKeras: classifier, regressor, grid search, pipeline, pickle, clone."""

import minikeras

minikeras.install_as_keras()

import copy
import pickle

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(0)
x = rng.normal(size=(90, 4)).astype("float32")
labels = np.array(["ant", "bee", "cat"])[np.argmax(x[:, :3], axis=1)]
target = x @ np.array([1.0, -2.0, 0.5, 0.0])


def classifier(units, meta):
    return keras.Sequential(
        [
            keras.Input((meta["n_features_in_"],)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def regressor(meta, compile_kwargs):
    model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=compile_kwargs["optimizer"])
    return model


estimator = KerasClassifier(
    classifier,
    units=8,
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
    optimizer="adam",
    optimizer__learning_rate=0.05,
    epochs=15,
    random_state=0,
    verbose=0,
)
estimator.fit(x, labels)
assert isinstance(estimator.model_, minikeras.Model)
assert estimator.score(x, labels) > 0.8
assert set(estimator.history_) >= {"loss", "accuracy"}
np.testing.assert_allclose(estimator.predict_proba(x).sum(1), 1, atol=1e-5)
for other in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
    assert (other.predict(x) == estimator.predict(x)).all()
before = estimator.predict_proba(x)
restored = pickle.loads(pickle.dumps(estimator))
restored.partial_fit(x, labels)  # goes on with the state of the optimizer
assert restored.current_epoch == 16 and (restored.predict_proba(x) != before).any()

grid = GridSearchCV(
    clone(estimator), {"units": [2, 8], "optimizer__learning_rate": [0.05]}, cv=2
)
grid.fit(x, labels)
assert grid.best_params_["units"] in (2, 8)
chain = make_pipeline(
    StandardScaler(),
    KerasRegressor(
        regressor, optimizer="sgd", optimizer__learning_rate=0.1, epochs=8, verbose=0
    ),
)
assert cross_val_score(chain, x, target, cv=2).min() > 0.3

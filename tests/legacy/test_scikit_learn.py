"""`KerasClassifier` and `KerasRegressor` of Keras 1 and 2 in scikit-learn's tools."""

import pickle

import numpy as np
import pytest

import minikeras as keras

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from minikeras.legacy.scikit_learn import KerasClassifier, KerasRegressor  # noqa: E402

X = np.random.RandomState(0).normal(size=(48, 3)).astype("float32")
LABELS = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")


def classifier(units=1, rate=0.1):
    activation = "sigmoid" if units == 1 else "softmax"
    loss = "binary_crossentropy" if units == 1 else "categorical_crossentropy"
    model = keras.Sequential([keras.layers.Dense(units, activation)])
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    return model


def regressor():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


@pytest.mark.parametrize("units", [1, 2])
def test_classifier(units):
    keras.utils.set_random_seed(0)
    options = {"epochs": 12, "batch_size": 8, "verbose": 0}
    estimator = KerasClassifier(build_fn=classifier, units=units, **options)
    history = estimator.fit(X, LABELS)
    assert len(history.epoch) == 12
    assert estimator.classes_.tolist() == ["no", "yes"]
    outputs = estimator.model.predict(X, verbose=0)
    probabilities = estimator.predict_proba(X)
    np.testing.assert_allclose(probabilities[:, -1], outputs[:, -1], rtol=1e-6)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    found = np.ravel(estimator.predict(X))
    assert (found == np.where(probabilities[:, 1] > 0.5, "yes", "no")).all()
    accuracy = np.mean(found == LABELS)
    assert estimator.score(X, LABELS) == pytest.approx(accuracy)
    assert accuracy > 0.9


def test_regressor_scores_by_the_negative_loss():
    keras.utils.set_random_seed(0)
    estimator = KerasRegressor(regressor, epochs=2, verbose=0)
    y = X @ [1.0, 2.0, 3.0]
    estimator.fit(X, y, epochs=9)
    found = estimator.predict(X)
    assert found.shape == (48,)
    assert estimator.score(X, y) == pytest.approx(-np.mean((found - y) ** 2), rel=1e-4)


def test_parameters_and_clones():
    estimator = KerasClassifier(build_fn=classifier, units=2, nb_epoch=3, verbose=0)
    expected = {"build_fn": classifier, "units": 2, "nb_epoch": 3, "verbose": 0}
    assert estimator.get_params() == clone(estimator).get_params() == expected
    assert estimator.set_params(rate=0.5).get_params()["rate"] == 0.5
    assert len(estimator.fit(X, LABELS).epoch) == 3
    again = pickle.loads(pickle.dumps(estimator))
    assert (again.predict(X) == estimator.predict(X)).all()
    with pytest.raises(ValueError, match="colour"):
        KerasClassifier(classifier, colour=3)
    with pytest.raises(ValueError, match="build_fn"):
        KerasClassifier()


def test_a_subclass_builds_its_own_model():
    class Own(KerasClassifier):
        def __call__(self, rate=0.1):
            return classifier(2, rate)

    assert len(Own(rate=0.2, epochs=2, verbose=0).fit(X, LABELS).epoch) == 2


def test_selection_and_pipelines():
    keras.utils.set_random_seed(0)
    estimator = KerasClassifier(build_fn=classifier, units=2, epochs=12, verbose=0)
    pipeline = make_pipeline(StandardScaler(), estimator)
    assert len(cross_val_score(pipeline, X, LABELS, cv=2)) == 2
    split = [(range(32), range(32, 48))]
    search = GridSearchCV(estimator, {"rate": [0.0, 0.2]}, cv=split, refit=False)
    search.fit(X, LABELS)
    assert search.best_params_ == {"rate": 0.2}


def test_score_needs_the_accuracy():
    def build():
        model = keras.Sequential([keras.layers.Dense(1, "sigmoid")])
        model.compile("sgd", "binary_crossentropy")
        return model

    estimator = KerasClassifier(build, verbose=0)
    estimator.fit(X, LABELS)
    with pytest.raises(ValueError, match="accuracy"):
        estimator.score(X, LABELS)

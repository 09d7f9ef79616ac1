"""The estimators of `keras.wrappers`, and scikit-learn's own checks of them."""

import functools
import pickle
import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras

pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402

from minikeras.wrappers import (  # noqa: E402
    SKLearnClassifier,
    SKLearnRegressor,
    SKLearnTransformer,
)
from minikeras.wrappers.estimators import one_hot  # noqa: E402

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 4))
LABELS = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]
FIT = {"epochs": 1, "verbose": 0}


def create(X, y, loss="mse", rate=0.05):
    units = 1 if y is None else y.shape[1]
    activation = "softmax" if loss != "mse" else None
    layers = [keras.Input(X.shape[1:]), keras.layers.Dense(units, activation)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(rate), loss)
    return model


create_classifier = functools.partial(create, loss="categorical_crossentropy")


def classifier(**options):
    return SKLearnClassifier(create_classifier, **{"fit_kwargs": FIT} | options)


def weights(model):
    return [np.array(weight) for weight in model.get_weights()]


def same(first, second):
    return all(map(np.array_equal, weights(first), weights(second)))


# Those with a fit take a second each to compile; compat runs all of them.
CHECKS = """cloneable repr tags_renamed valid_tag_types set_params mixin_order unfitted
    fit_returns_self get_params_invariance no_attributes_set_in_init nan_inf
    empty_data_messages sparse_tag overwrite_params dict_unchanged""".split()


def names_of(x):
    """Ids without addresses, which differ between the processes of pytest-xdist."""
    return x.func.__name__ if hasattr(x, "func") else type(x).__name__


marks = estimator_checks.parametrize_with_checks(
    [classifier(), SKLearnRegressor(create, fit_kwargs=FIT)]
)


@pytest.mark.slow
@pytest.mark.parametrize(*marks.args, ids=names_of)
def test_checks_of_scikit_learn(estimator, check):
    if not check.func.__name__.endswith(tuple(CHECKS)):
        pytest.skip("runs in compat")
    check(estimator)


def test_classifier_learns_labels():
    keras.utils.set_random_seed(0)
    estimator = classifier().fit(X, LABELS, epochs=40)
    assert estimator.classes_.tolist() == ["a", "b", "c"]
    assert estimator.fit_kwargs == FIT and estimator.epoch_ == 40
    outputs = estimator.model_.predict(X, verbose=0)
    np.testing.assert_array_equal(estimator.decision_function(X), outputs)
    found = estimator.predict(X)
    assert found.tolist() == estimator.classes_[outputs.argmax(1)].tolist()
    assert estimator.score(X, LABELS) == np.mean(found == LABELS) > 0.8
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.decision_function(X), outputs)


def test_each_fit_trains_a_clone_of_a_given_model():
    model = create(X, X[:, :1])
    before = weights(model)
    estimator = SKLearnRegressor(model, fit_kwargs=FIT)
    first = estimator.fit(X, X[:, 0]).model_
    second = estimator.fit(X, X[:, 0]).model_
    assert len({id(model), id(first), id(second)}) == 3
    assert all(map(np.array_equal, before, weights(model)))
    assert clone(estimator).model is model
    assert clone(estimator).fit_kwargs == FIT


@pytest.mark.parametrize("as_function", [False, True])
def test_warm_start_goes_on(as_function):
    given = create if as_function else create(X, X[:, :1])
    estimator = SKLearnRegressor(given, warm_start=True, fit_kwargs=FIT)
    first = estimator.fit(X, X[:, 0]).model_
    assert as_function or first is given
    steps = int(first.optimizer.iterations)
    assert estimator.fit(X, X[:, 0]).model_ is first
    assert int(first.optimizer.iterations) == 2 * steps


def test_regressor_and_transformer():
    regressor = SKLearnRegressor(create, fit_kwargs=FIT).fit(X, X[:, 0])
    assert regressor.predict(X).shape == (60,)
    transformer = SKLearnTransformer(create, fit_kwargs=FIT).fit(X, X[:, 0])
    expected = transformer.model_.predict(X, verbose=0)
    np.testing.assert_array_equal(transformer.transform(X), expected)


def test_pipelines_and_cross_validation():
    pipeline = make_pipeline(StandardScaler(), classifier())
    assert len(cross_val_score(pipeline, X, LABELS, cv=2)) == 2


def test_one_hot():
    classes = np.array([2, 5, 7])
    expected = [[0, 0, 1], [1, 0, 0]]
    np.testing.assert_array_equal(one_hot([7, 2], classes), expected)
    with pytest.raises(ValueError, match="3"):
        one_hot([3], classes)


def test_bad_input():
    model = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(RuntimeError, match="compile"):
        SKLearnRegressor(model).fit(X, X[:, 0])
    with pytest.raises(TypeError, match="compiled Model"):
        SKLearnRegressor("model").fit(X, X[:, 0])
    with pytest.raises(ValueError, match="one class"):
        classifier().fit(X, np.zeros(60, int))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier().fit(X, X[:, 0])
    with pytest.raises(RuntimeError, match="set_config"):
        classifier().set_fit_request(sample_weight=True)
    with pytest.raises(ValueError, match="colour"):
        classifier().set_params(colour=1)


def test_metadata_routing():
    sklearn = pytest.importorskip("sklearn")
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = classifier().set_fit_request(sample_weight=True)
        assert estimator.get_metadata_routing().fit.requests["sample_weight"] is True
        with pytest.raises(TypeError, match="colour"):
            estimator.set_fit_request(colour=True)


def test_scikit_learn_is_imported_late():
    code = """
import sys
import minikeras
assert "sklearn" not in sys.modules
sys.modules["sklearn"] = None
try:
    minikeras.wrappers.SKLearnClassifier
except ImportError as error:
    assert "pip install -U scikit-learn" in str(error)
else:
    raise SystemExit(1)
"""
    subprocess.run([sys.executable, "-c", code], check=True)

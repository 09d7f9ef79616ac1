"""`keras.wrappers` against real Keras, and all of scikit-learn's own checks."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect
import random

import keras
import numpy as np
import pytest

import minikeras

pytest.importorskip("sklearn")
import keras.wrappers  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402

PACKAGES = (keras, minikeras)
NAMES = ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")
X = np.random.RandomState(0).normal(size=(60, 5))
LABELS = np.array(["no", "so", "yes"])[np.argmax(X[:, :3], axis=1)]


def create(package, X, y, loss):
    layers = package.layers
    activation = None if loss == "mse" else "softmax"
    stack = [layers.Dense(8, "relu"), layers.Dense(y.shape[1], activation)]
    model = package.Sequential([layers.Input(X.shape[1:]), *stack])
    model.compile("adam", loss)
    return model


def estimator(package, name, **options):
    loss = "categorical_crossentropy" if "Classifier" in name else "mse"
    options = {"model_kwargs": {"loss": loss}} | options
    kind = getattr(package.wrappers, name)
    return kind(lambda X, y, **kwargs: create(package, X, y, **kwargs), **options)


def fitted(package, name, is_model=False):
    package.utils.set_random_seed(3)
    y = LABELS if "Classifier" in name else X[:, 0] * 2
    found = estimator(package, name, fit_kwargs={"epochs": 3, "verbose": 0})
    if is_model:
        units = np.zeros((1, 3 if "Classifier" in name else 1))
        found.model = create(package, X, units, **found.model_kwargs)
    return found.fit(X, y), y


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_model", [False, True])
def test_the_same_numbers(name, is_model):
    results = []
    for package in PACKAGES:
        found, y = fitted(package, name, is_model)
        after = random.random(), np.random.random()
        call = found.transform if "Transformer" in name else found.predict
        score = found.score(X, y) if "Transformer" not in name else 0
        results.append((found, call(X), score, after))
    (theirs, expected, score, after), (ours, result, our_score, our_after) = results
    if result.dtype.kind == "f":
        np.testing.assert_allclose(result, expected, rtol=2e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(result, expected)
    assert result.dtype == expected.dtype and our_after == after
    assert our_score == pytest.approx(score, rel=1e-4)
    losses = theirs.history_.history["loss"], ours.history_.history["loss"]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    public = [{n for n in vars(x) if n[0] != "_"} for x in (theirs, ours)]
    assert public[0] == public[1]


@pytest.mark.parametrize("name", NAMES)
def test_signatures_and_tags(name):
    kinds = [getattr(package.wrappers, name) for package in PACKAGES]
    for member in ("__init__", "fit", "predict", "set_fit_request"):
        theirs, ours = (inspect.signature(getattr(kind, member)) for kind in kinds)
        assert theirs == ours
    theirs, ours = (estimator(package, name).__sklearn_tags__() for package in PACKAGES)
    assert theirs == ours
    members = [{n for n in dir(kind) if n[0] != "_"} for kind in kinds]
    assert members[0] == members[1]


def create_ours(X, y, loss):
    minikeras.utils.set_random_seed(0)  # the checks compare fits
    return create(minikeras, X, y, loss)


# As for Keras's own: `decision_function` has a column for each of two classes, and a
# few epochs do not separate the checks' classes.
EXPECTED = {
    "check_classifiers_classes": "wants a trained classifier",
    "check_classifiers_train": "wants one column for two classes",
    "check_classifiers_one_label_sample_weights": "one class is refused",
}


def names_of(x):
    """Ids without addresses, which differ between the processes of pytest-xdist."""
    return x.func.__name__ if hasattr(x, "func") else type(x).__name__


marks = estimator_checks.parametrize_with_checks(
    [
        getattr(minikeras.wrappers, name)(
            create_ours,
            model_kwargs={
                "loss": "categorical_crossentropy" if "Class" in name else "mse"
            },
            fit_kwargs={"epochs": 5, "verbose": 0},
        )
        for name in NAMES
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)


@pytest.mark.slow
@pytest.mark.parametrize(*marks.args, ids=names_of)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)

"""Losses against Keras: values and gradients under jit, reductions, configs."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from minikeras.core.functional import set_mask

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(5, 4)).astype("float32") * 3
SHARES = RNG.uniform(0.01, 1, size=(5, 4)).astype("float32")
TARGETS = RNG.uniform(0, 1, size=(5, 4)).astype("float32")
BITS = (TARGETS > 0.5).astype("float32")
SIGNS = 2 * BITS - 1
LABELS = np.array([2, 0, 3, 3, 1])
UNIT = SCORES / np.linalg.norm(SCORES, axis=1, keepdims=True)
FRAMES = RNG.normal(size=(2, 5, 4)).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[LABELS]

FUNCTIONS = [
    ("mean_squared_error", TARGETS, SCORES, {}),
    ("mean_absolute_error", TARGETS, SCORES, {}),
    ("mean_absolute_percentage_error", TARGETS, SCORES, {}),
    ("mean_squared_logarithmic_error", TARGETS, SHARES, {}),
    ("huber", TARGETS, SCORES, {"delta": 0.7}),
    ("log_cosh", TARGETS, SCORES, {}),
    ("poisson", TARGETS, SHARES, {}),
    ("kl_divergence", TARGETS, SHARES, {}),
    ("cosine_similarity", TARGETS, SCORES, {}),
    ("cosine_similarity", TARGETS, SCORES, {"axis": 0}),
    ("hinge", BITS, SCORES, {}),
    ("hinge", SIGNS, SCORES, {}),
    ("squared_hinge", BITS, SCORES, {}),
    ("categorical_hinge", ONE_HOT, SCORES, {}),
    ("binary_crossentropy", BITS, SHARES, {}),
    ("binary_crossentropy", BITS, SCORES, {"from_logits": True}),
    ("binary_crossentropy", BITS, SHARES, {"label_smoothing": 0.2, "axis": 0}),
    ("categorical_crossentropy", ONE_HOT, SHARES, {"label_smoothing": 0.2}),
    ("categorical_crossentropy", ONE_HOT, SCORES, {"from_logits": True}),
    ("categorical_crossentropy", BITS, SHARES, {"axis": 0}),
    ("sparse_categorical_crossentropy", LABELS, SHARES, {}),
    ("sparse_categorical_crossentropy", LABELS, SCORES, {"from_logits": True}),
    ("sparse_categorical_crossentropy", LABELS[:, None], SHARES, {}),
    ("sparse_categorical_crossentropy", LABELS, SHARES, {"ignore_class": 3}),
    ("binary_focal_crossentropy", BITS, SHARES, {"gamma": 1.5}),
    ("binary_focal_crossentropy", BITS, SHARES, {"apply_class_balancing": True}),
    ("binary_focal_crossentropy", BITS, SCORES, {"from_logits": True}),
    ("categorical_focal_crossentropy", ONE_HOT, SHARES, {"alpha": 0.4}),
    ("categorical_focal_crossentropy", ONE_HOT, SCORES, {"from_logits": True}),
    ("categorical_generalized_cross_entropy", LABELS, SHARES, {"q": 0.3}),
    ("circle", LABELS, UNIT, {}),
    ("circle", LABELS, UNIT, {"gamma": 10.0, "margin": 0.2}),
    ("ctc", np.array([[1, 2, 0], [3, 0, 0]]), FRAMES, {}),
    ("dice", BITS, SHARES, {}),
    ("dice", BITS, SHARES, {"axis": 1}),
    ("tversky", BITS, SHARES, {"alpha": 0.3, "beta": 0.8}),
]


@pytest.mark.parametrize(("name", "y_true", "y_pred", "settings"), FUNCTIONS)
def test_function_and_gradient(name, y_true, y_pred, settings):
    def both(package):
        loss = getattr(package.losses, name)

        def total(y_pred):
            values = loss(y_true, y_pred, **settings)
            return jnp.sum(values), values

        grad, values = jax.jit(jax.grad(total, has_aux=True))(y_pred)
        return values, grad

    for ours, theirs in zip(both(minikeras), both(keras), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


REDUCTIONS = ["sum", "mean", "sum_over_batch_size", "mean_with_sample_weight", None]
VALUES = RNG.normal(size=(3, 5, 4)).astype("float32")
MASK = RNG.uniform(size=(3, 5)) > 0.4
WEIGHTS = RNG.uniform(size=(3, 5)).astype("float32")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", [None, WEIGHTS, WEIGHTS[..., None], 0.5])
@pytest.mark.parametrize("mask", [None, MASK, MASK[..., None]])
def test_reduction(reduction, weights, mask):
    def run(package, mark):
        y_pred = jnp.asarray(VALUES)
        if mask is not None:
            mark(y_pred, jnp.asarray(mask))
        loss = package.losses.MeanSquaredError(reduction=reduction)
        return loss(np.zeros_like(VALUES), y_pred, weights)

    ours = run(minikeras, set_mask)
    theirs = run(keras, keras.src.backend.set_keras_mask)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_ignored_class_leaves_the_mean():
    for weights in (None, WEIGHTS[0]):
        ours, theirs = (
            p.losses.SparseCategoricalCrossentropy(ignore_class=3)(
                LABELS, SHARES, weights
            )
            for p in (minikeras, keras)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_samples_alone_leave_the_mean_of_circle():
    for reduction in ("mean", "mean_with_sample_weight"):
        ours, theirs = (
            p.losses.Circle(reduction=reduction)(LABELS, UNIT, WEIGHTS[0])
            for p in (minikeras, keras)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


CLASSES = [
    name
    for name in minikeras.losses.__all__
    if inspect.isclass(getattr(minikeras.losses, name)) and name != "Loss"
]


@pytest.mark.parametrize("name", CLASSES)
def test_signature_and_config(name):
    ours, theirs = (getattr(p.losses, name) for p in (minikeras, keras))
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours().get_config() == theirs().get_config()
    ours, theirs = (
        p.losses.serialize(cls(reduction="sum", name="n"))
        for p, cls in ((minikeras, ours), (keras, theirs))
    )
    assert ours == theirs
    assert minikeras.losses.deserialize(theirs).get_config() == ours["config"]


@pytest.mark.parametrize("name", ["huber", "mse", "MAE", "kld", "Hinge", "bce", "msle"])
def test_get_by_name(name):
    ours, theirs = (p.losses.get(name) for p in (minikeras, keras))
    assert callable(ours)
    assert getattr(ours, "__name__", None) == getattr(theirs, "__name__", None)


def test_half_width():
    for dtype in ("float16", "bfloat16"):
        ours, theirs = (
            p.losses.BinaryCrossentropy(dtype=dtype)(BITS, SHARES)
            for p in (minikeras, keras)
        )
        assert str(ours.dtype) == str(theirs.dtype) == dtype
        np.testing.assert_allclose(
            np.float32(ours), np.float32(theirs), rtol=1e-2, atol=1e-2
        )

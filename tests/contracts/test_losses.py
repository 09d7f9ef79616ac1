"""What every loss promises, for every class."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import losses

RNG = np.random.default_rng(0)
P = RNG.uniform(0.1, 0.9, size=(4, 3)).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[[2, 0, 1, 1]]
LABELS = np.array([2, 0, 1, 1])
UNIT = P / np.linalg.norm(P, axis=1, keepdims=True)
FRAMES = RNG.normal(size=(4, 6, 3)).astype("float32")

# What a class is tested with if not one-hot labels and probabilities.
DATA = {
    "CTC": (np.array([[1, 2], [2, 0], [1, 1], [1, 0]]), FRAMES),
    "CategoricalGeneralizedCrossEntropy": (LABELS, P),
    "Circle": (np.array([0, 0, 1, 1]), UNIT),
    "SparseCategoricalCrossentropy": (LABELS, P),
}
NAMES = [
    name
    for name in losses.__all__
    if inspect.isclass(getattr(losses, name)) and name != "Loss"
]
# These two say one number for the whole batch.
WHOLE_BATCH = {"Dice", "Tversky"}
# Their losses of a sample depend on the others, or are zero without them.
NEED_OTHERS = {"Circle"}
_each = pytest.mark.parametrize("name", NAMES)


def make(loss, **settings):
    return getattr(losses, loss)(**settings), *DATA.get(loss, (ONE_HOT, P))


@_each
def test_config_round_trip(name):
    loss, y_true, y_pred = make(name, reduction="sum", name="one")
    again = losses.deserialize(losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    assert again(y_true, y_pred) == loss(y_true, y_pred)


@_each
def test_jit_equals_eager(name):
    loss, y_true, y_pred = make(name)
    np.testing.assert_allclose(
        jax.jit(loss)(y_true, y_pred), loss(y_true, y_pred), rtol=1e-5
    )


@_each
def test_gradient_is_finite_and_moves(name):
    loss, y_true, y_pred = make(name)
    grad = jax.grad(lambda y: loss(y_true, y))(jnp.asarray(y_pred))
    assert np.all(np.isfinite(grad)) and np.any(np.asarray(grad))


@_each
def test_reductions_agree(name):
    values, y_true, y_pred = make(name, reduction="none")
    values = np.asarray(values(y_true, y_pred))
    assert values.shape == (() if name in WHOLE_BATCH else (4,))
    assert name not in NEED_OTHERS or np.all(values > 0)
    for reduction, expected in (("sum", values.sum()), ("mean", values.mean())):
        loss = make(name, reduction=reduction)[0]
        np.testing.assert_allclose(loss(y_true, y_pred), expected, rtol=1e-6)


@_each
def test_batch_of_one(name):
    loss, y_true, y_pred = make(name, reduction="none")
    if name in WHOLE_BATCH | NEED_OTHERS:
        assert np.isfinite(loss(y_true[:1], y_pred[:1])).all()
        return
    first = np.asarray(loss(y_true, y_pred))[0]
    np.testing.assert_allclose(loss(y_true[:1], y_pred[:1])[0], first, rtol=1e-6)


@_each
def test_half_width(name):
    loss, y_true, y_pred = make(name)
    half = make(name, dtype="bfloat16")[0](y_true, y_pred)
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        np.float32(half), loss(y_true, y_pred), rtol=0.1, atol=0.05
    )

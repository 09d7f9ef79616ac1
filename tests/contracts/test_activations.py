"""What every activation promises, for every function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import activations

X = np.linspace(-3, 3, 8, dtype="float32").reshape(2, 4)
# {function: its value at 0.5, or None where it depends on other entries}
ROWS = {
    "celu": 0.5,
    "elu": 0.5,
    "exponential": np.exp(0.5),
    "gelu": 0.345731,
    "glu": None,
    "hard_shrink": 0.0,
    "hard_sigmoid": 0.583333,
    "hard_silu": 0.291667,
    "hard_tanh": 0.5,
    "leaky_relu": 0.5,
    "linear": 0.5,
    "log_sigmoid": -0.474077,
    "log_softmax": None,
    "mish": 0.375247,
    "relu": 0.5,
    "relu6": 0.5,
    "selu": 0.525351,
    "sigmoid": 0.622459,
    "silu": 0.311230,
    "soft_shrink": 0.0,
    "softmax": None,
    "softplus": 0.974077,
    "softsign": 0.333333,
    "sparse_plus": 0.5625,
    "sparse_sigmoid": 0.75,
    "sparsemax": None,
    "squareplus": 1.280776,
    "tanh": 0.462117,
    "tanh_shrink": 0.037883,
    "threshold": 0.5,
}
ALIASES = {"hard_swish": "hard_silu", "swish": "silu"}
# `threshold` has two arguments without a default.
_each = pytest.mark.parametrize("name", ROWS)


def function(name):
    f = getattr(activations, name)
    return (lambda x: f(x, 0.2, -1.0)) if name == "threshold" else f


def test_table_covers_every_activation():
    public = {*activations.__all__} - {"get", "serialize", "deserialize"}
    assert public == {*ROWS, *ALIASES}
    for alias, name in ALIASES.items():
        assert getattr(activations, alias) is getattr(activations, name)


@_each
def test_value(name):
    if ROWS[name] is not None:
        y = function(name)(jnp.array([0.5]))
        np.testing.assert_allclose(y, [ROWS[name]], rtol=1e-5, atol=1e-6)
    else:
        y = np.asarray(function(name)(X))
        assert np.all(np.isfinite(y[..., :1]))


@_each
def test_config_round_trip(name):
    f = getattr(activations, name)
    assert activations.serialize(f) == name
    assert activations.deserialize(name) is f
    assert activations.get(name) is f and activations.get(f) is f


@_each
def test_jit_equals_eager(name):
    f = function(name)
    np.testing.assert_allclose(jax.jit(f)(X), f(X), rtol=1e-5, atol=1e-6)


@_each
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_width(name, dtype):
    y = function(name)(jnp.asarray(X, dtype))
    assert y.dtype == jnp.dtype(dtype)
    # Both see the same inputs: X is rounded to the dtype first.
    want = function(name)(jnp.asarray(X, dtype).astype("float32"))
    np.testing.assert_allclose(np.float32(y), want, rtol=0.03, atol=0.03)


@_each
def test_gradient_is_finite(name):
    # 0 too: several of them have a kink there.
    x = jnp.append(X.reshape(-1), jnp.zeros(2)).reshape(1, -1)
    assert np.all(np.isfinite(jax.grad(lambda x: jnp.sum(function(name)(x)))(x)))


@_each
def test_symbolic(name):
    x = keras.Input((4,))
    y = function(name)(x)
    assert tuple(y.shape) == (None, 2 if name == "glu" else 4)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="Did you mean"):
        activations.get("sigmod")
    with pytest.raises(ValueError, match="Could not interpret activation function"):
        activations.get(3.5)
    with pytest.raises(TypeError, match="expected a function or a layer"):
        activations.serialize(3.5)
    assert activations.get(None) is activations.linear

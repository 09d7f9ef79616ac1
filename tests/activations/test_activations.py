"""Values of the activations against numpy; names and configs."""

import numpy as np
import pytest

import minikeras
from minikeras import activations

X = np.random.default_rng(0).normal(size=(3, 4)) * 3
SOFT = np.exp(X) / np.exp(X).sum(axis=-1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-X))
SOFTPLUS = np.log1p(np.exp(X))
TANH = np.tanh(X)
CUBIC = 0.5 * X * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)))

VALUES = {
    "celu": np.maximum(X, 0) + np.minimum(np.exp(X) - 1, 0),
    "elu": np.where(X > 0, X, np.exp(X) - 1),
    "exponential": np.exp(X),
    "glu": X[:, :2] * SIGMOID[:, 2:],
    "hard_shrink": np.where(np.abs(X) > 0.5, X, 0),
    "hard_sigmoid": np.clip(X / 6 + 0.5, 0, 1),
    "hard_silu": X * np.clip(X / 6 + 0.5, 0, 1),
    "hard_tanh": np.clip(X, -1, 1),
    "leaky_relu": np.where(X > 0, X, 0.2 * X),
    "linear": X,
    "log_sigmoid": np.log(SIGMOID),
    "log_softmax": np.log(SOFT),
    "mish": X * np.tanh(SOFTPLUS),
    "relu": np.maximum(X, 0),
    "relu6": np.clip(X, 0, 6),
    "selu": 1.05070098 * np.where(X > 0, X, 1.67326324 * (np.exp(X) - 1)),
    "sigmoid": SIGMOID,
    "silu": X * SIGMOID,
    "soft_shrink": np.sign(X) * np.maximum(np.abs(X) - 0.5, 0),
    "softmax": SOFT,
    "softplus": SOFTPLUS,
    "softsign": X / (1 + np.abs(X)),
    "sparse_plus": np.where(X >= 1, X, np.where(X <= -1, 0, (X + 1) ** 2 / 4)),
    "sparse_sigmoid": np.clip((X + 1) / 2, 0, 1),
    "squareplus": (X + np.sqrt(X**2 + 4)) / 2,
    "tanh": TANH,
    "tanh_shrink": X - TANH,
}


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    y = activations.get(name)(X.astype("float32"))
    np.testing.assert_allclose(y, VALUES[name], rtol=2e-5, atol=1e-6)


def test_every_activation_is_tested():
    rest = {"gelu", "sparsemax", "threshold", "swish", "hard_swish"}
    functions = set(activations.__all__) - {"get", "serialize", "deserialize"}
    assert functions == set(VALUES) | rest


def test_parameters():
    x = X.astype("float32")
    np.testing.assert_allclose(activations.gelu(x, True), CUBIC, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(
        activations.threshold(x, 0.5, 7.0), np.where(X > 0.5, X, 7), rtol=1e-6
    )
    bent = activations.relu(x, negative_slope=0.5, max_value=2.0, threshold=1.0)
    expected = np.where(X > 1, np.minimum(X, 2), 0.5 * (X - 1))
    np.testing.assert_allclose(bent, expected, rtol=1e-6)
    np.testing.assert_allclose(
        activations.softmax(x, axis=(0, 1)), np.exp(X) / np.exp(X).sum(), rtol=2e-5
    )


def test_sparsemax_is_the_projection_on_the_simplex():
    y = np.asarray(activations.sparsemax(X.astype("float32")))
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-5)
    assert (y >= 0).all()
    # Optimality: x - y is the same on the support, and no greater elsewhere.
    for gap, row in zip(X - y, y, strict=True):
        tau = gap[row > 0]
        np.testing.assert_allclose(tau, tau[0], rtol=1e-4)
        assert (gap[row == 0] <= tau[0] + 1e-5).all()


@pytest.mark.parametrize("name", activations.__all__)
def test_names(name):
    function = getattr(activations, name)
    if name in ("get", "serialize", "deserialize"):
        return
    assert activations.get(name) is function
    assert activations.get(activations.serialize(function)) is function
    assert activations.deserialize(name) is function


def test_get():
    assert activations.get(None) is activations.linear
    layer = minikeras.layers.LeakyReLU(0.3)
    assert activations.get(layer) is layer
    config = activations.serialize(layer)
    assert activations.deserialize(config).negative_slope == pytest.approx(0.3)
    with pytest.raises(ValueError, match="relu"):
        activations.get("rleu")
    with pytest.raises(ValueError):
        activations.get(3)


def test_symbolic_calls_are_recorded():
    x = minikeras.Input((4,))
    y = activations.relu(activations.softmax(x), max_value=0.5)
    model = minikeras.Model(x, y)
    copy = minikeras.Model.from_config(model.get_config())
    given = X.astype("float32")
    np.testing.assert_allclose(copy(given), np.minimum(SOFT, 0.5), rtol=2e-5)

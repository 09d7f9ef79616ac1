import jax
import numpy as np
import pytest

from minikeras import layers
from minikeras.layers.activations.prelu import prelu

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
ALPHA = np.linspace(-0.5, 0.5, 12, dtype="float32").reshape(3, 4)


def test_prelu():
    expected = np.where(X > 0, X, ALPHA * X)
    np.testing.assert_allclose(jax.jit(prelu)(X, ALPHA), expected, rtol=1e-6)


def test_shared_axes_have_one_slope():
    layer = layers.PReLU(shared_axes=1)
    layer(X)
    assert layer.alpha.shape == (1, 4)
    layer.alpha.assign(ALPHA[:1])
    np.testing.assert_allclose(layer(X), np.where(X > 0, X, ALPHA[:1] * X), rtol=1e-6)
    with pytest.raises(ValueError, match="axis 2"):
        layer(X[..., :3])

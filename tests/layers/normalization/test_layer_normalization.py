import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from minikeras import layers, ops

X = np.random.default_rng(0).normal(3.0, 2.0, size=(4, 5, 3)).astype("float32")


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), [-1, -2]])
def test_moments_of_each_sample(axis):
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    centered = X - X.mean(axes, keepdims=True)
    expected = centered / np.sqrt(X.var(axes, keepdims=True) + 1e-3)
    layer = layers.LayerNormalization(axis)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4, atol=1e-5)


def test_gamma_and_beta_have_the_sizes_of_the_axes():
    layer = layers.LayerNormalization((1, 2))
    unit = layer(X)
    gamma = np.linspace(0.5, 1.5, 15, dtype="float32").reshape(5, 3)
    layer.set_weights([gamma, -gamma])
    np.testing.assert_allclose(layer(X), gamma * unit - gamma, rtol=1e-5, atol=1e-5)


def test_rms_scaling_does_not_center():
    layer = layers.LayerNormalization(rms_scaling=True)
    expected = X / np.sqrt(X.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-4)
    assert [w.name for w in layer.weights] == ["gamma"]
    assert layer.get_config()["rms_scaling"] is True


def test_gradients_are_exact_where_rows_lie_far_from_zero():
    """What the mean lost of 300 is taken off again."""
    x = np.random.default_rng(1).normal(300, 0.25, (8, 6)).astype("float32")
    slopes = np.random.default_rng(2).normal(size=(8, 6)).astype("float32")
    found = jax.grad(lambda x: jnp.vdot(ops.layer_normalization(x), slopes))(x)

    wide = x.astype("float64")
    factor = 1 / np.sqrt(wide.var(-1, keepdims=True) + 1e-7)
    normal = (wide - wide.mean(-1, keepdims=True)) * factor
    along = normal * (normal * slopes).mean(-1, keepdims=True)
    exact = factor * (slopes - slopes.mean(-1, keepdims=True) - along)
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=3e-6 * np.abs(exact).max())


@pytest.mark.parametrize("axis", [-1, (0, 2)])
def test_gradients_in_all_arguments(axis):
    sizes = (3,) if axis == -1 else (4, 1, 3)
    gamma, beta = np.random.default_rng(2).normal(size=(2, *sizes)).astype("float32")

    def normal(x, gamma, beta, epsilon):
        return ops.layer_normalization(x, gamma, beta, axis, epsilon)

    # Against differences of float32 results, which hold two digits.
    check_grads(normal, (X, gamma, beta, np.float32(0.3)), 2, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("axis", ["1", 1.0, None, {1}, (1, 2.0)])
def test_axes_must_be_ints(axis):
    with pytest.raises(TypeError, match="'axis'"):
        layers.LayerNormalization(axis)

import numpy as np
import pytest

from minikeras import layers

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


@pytest.mark.parametrize("axis", ["1", 1.0, None, {1}, (1, 2.0)])
def test_axes_must_be_ints(axis):
    with pytest.raises(TypeError, match="'axis'"):
        layers.LayerNormalization(axis)

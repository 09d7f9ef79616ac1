import jax
import numpy as np
import pytest

from minikeras import layers
from minikeras.layers.normalization.group_normalization import group_normalization

X = np.random.default_rng(0).normal(3.0, 2.0, size=(2, 5, 6)).astype("float32")


def test_each_group_of_each_sample_has_its_own_moments():
    split = X.reshape(2, 5, 3, 2)
    centered = split - split.mean((1, 3), keepdims=True)
    expected = centered / np.sqrt(split.var((1, 3), keepdims=True) + 1e-3)
    got = jax.jit(group_normalization, static_argnums=(1, 2, 3))(X, 3, 2, 1e-3)
    np.testing.assert_allclose(got, expected.reshape(X.shape), rtol=1e-4, atol=1e-5)


def test_gamma_and_beta_are_per_channel_of_any_axis():
    layer = layers.GroupNormalization(groups=1, axis=1)
    unit = layer(X)
    gamma = np.arange(1.0, 6.0, dtype="float32")
    layer.set_weights([gamma, -gamma])
    expected = gamma[:, None] * unit - gamma[:, None]
    np.testing.assert_allclose(layer(X), expected, rtol=1e-5, atol=1e-5)


def test_minus_one_is_a_group_per_channel():
    y = np.asarray(layers.GroupNormalization(groups=-1)(X))
    np.testing.assert_allclose(y.mean(1), np.zeros((2, 6)), atol=1e-5)


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match="must be a multiple"):
        layers.GroupNormalization(4)(X)
    with pytest.raises(ValueError, match="more than the number of channels"):
        layers.GroupNormalization(32)(X)


@pytest.mark.parametrize("groups", [0, -2, 1.5])
def test_groups_must_be_positive(groups):
    with pytest.raises(ValueError, match="`groups`"):
        layers.GroupNormalization(groups)

import numpy as np
import pytest

from minikeras import layers

X = np.random.default_rng(0).normal(1.0, 2.0, size=(2, 5, 3)).astype("float32")


def test_lengths_become_one_and_zeros_stay():
    expected = X / np.linalg.norm(X, axis=-1, keepdims=True)
    np.testing.assert_allclose(layers.UnitNormalization()(X), expected, rtol=1e-5)
    y = np.asarray(layers.UnitNormalization((1, 2))(X))
    np.testing.assert_allclose((y**2).sum((1, 2)), [1, 1], rtol=1e-5)
    assert not np.any(layers.UnitNormalization()(np.zeros((2, 3), "float32")))


@pytest.mark.parametrize("axis", ["1", 1.0, None])
def test_axes_must_be_ints(axis):
    with pytest.raises(TypeError, match="`axis`"):
        layers.UnitNormalization(axis)


def test_root_mean_square_becomes_the_scale():
    layer = layers.RMSNormalization(epsilon=0.1)
    layer.build(X.shape)
    scale = np.array([0.5, 1.0, 2.0], "float32")
    layer.set_weights([scale])
    expected = scale * X / np.sqrt((X**2).mean(-1, keepdims=True) + 0.1)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-5)


def test_the_scale_of_an_inner_axis():
    layer = layers.RMSNormalization(axis=1)
    layer.build(X.shape)
    scale = np.linspace(0.5, 1.5, 5, dtype="float32")
    layer.set_weights([scale])
    expected = scale[:, None] * X / np.sqrt((X**2).mean(1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(layer(X), expected, rtol=1e-5)

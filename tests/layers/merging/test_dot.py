import jax
import numpy as np
import pytest

from minikeras import layers
from minikeras.layers.merging.dot import batch_dot

_RNG = np.random.default_rng(0)
A = _RNG.normal(size=(2, 3, 4)).astype("float32")
B = _RNG.normal(size=(2, 4, 5)).astype("float32")


def test_batch_dot_is_a_product_for_each_sample():
    expected = np.einsum("bij,bjk->bik", A, B)
    got = jax.jit(batch_dot, static_argnums=2)(A, B, (2, 1))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_vectors_give_one_number_each():
    x, y = A[:, 0], A[:, 1]
    expected = (x * y).sum(-1, keepdims=True)
    np.testing.assert_allclose(layers.dot([x, y]), expected, rtol=1e-5)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    np.testing.assert_allclose(
        layers.Dot(1, normalize=True)([x, y]), expected / lengths[:, None], rtol=1e-5
    )


def test_negative_axes_count_from_the_end():
    expected = layers.Dot((2, 1))([A, B])
    np.testing.assert_array_equal(layers.Dot((-1, -2))([A, B]), expected)


@pytest.mark.parametrize("axes, error", [("1", TypeError), ((1, 2, 3), ValueError)])
def test_bad_axes_are_refused(axes, error):
    with pytest.raises(error, match="`axes`"):
        layers.Dot(axes)


@pytest.mark.parametrize("axes", [1, 0])
def test_inputs_that_do_not_fit_are_refused(axes):
    with pytest.raises(ValueError, match="Dot"):
        layers.Dot(axes)([A, B])
    with pytest.raises(ValueError, match="2 inputs"):
        layers.Dot(axes)([A])

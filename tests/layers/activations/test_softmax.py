import jax
import numpy as np
import pytest

from minikeras import layers
from minikeras.layers.activations.softmax import masked_softmax

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def test_softmax_over_several_axes():
    expected = np.exp(X) / np.exp(X).sum((1, 2), keepdims=True)
    np.testing.assert_allclose(layers.Softmax([1, 2])(X), expected, rtol=1e-5)


def test_masked_entries_are_zero_and_the_rest_sums_to_one():
    mask = np.array([True, False, True, True])
    expected = np.exp(X) * mask
    expected /= expected.sum(-1, keepdims=True)
    np.testing.assert_allclose(layers.Softmax()(X, mask=mask), expected, rtol=1e-5)


def test_a_row_without_entries_is_zero_and_has_a_gradient():
    x, mask = X[0], np.zeros((3, 4), bool)
    value, slope = jax.value_and_grad(lambda x: masked_softmax(x, mask).sum())(x)
    assert value == 0 and np.isfinite(slope).all()


@pytest.mark.parametrize(
    "shape, message", [((2, 3, 3), "broadcastable"), ((1, 2, 3, 4), "more dimensions")]
)
def test_masks_that_do_not_fit_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        layers.Softmax()(X, mask=np.ones(shape, bool))

"""Pooling: both implementations of the maximum against each other and numpy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import ops
from minikeras.ops import pooling

# Few different values: many ties.
IMAGE = np.random.default_rng(0).integers(0, 3, size=(2, 6, 5, 2)).astype("float32")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("pool, strides", [((2, 2), (2, 2)), ((3, 2), (2, 1))])
def test_both_implementations_agree_in_values_and_in_the_gradients_of_ties(
    pool, strides, padding
):
    window, steps = (1, *pool, 1), (1, *strides, 1)
    pads = tuple(jax.lax.padtype_to_pads(IMAGE.shape, window, steps, padding.upper()))

    def gradient(function):
        def loss(x):
            y = function(x, window, steps, pads)
            return jnp.sum(y * jnp.arange(y.size).reshape(y.shape)), y

        return jax.jit(jax.value_and_grad(loss, has_aux=True))(IMAGE)

    slices, windows = map(gradient, (pooling.max_by_slices, pooling.max_by_windows))
    for a, b in zip(*map(jax.tree_util.tree_leaves, (slices, windows)), strict=True):
        np.testing.assert_array_equal(a, b)
    pooled = ops.max_pool(IMAGE, pool, strides, padding)
    np.testing.assert_array_equal(pooled, slices[0][1])


def test_against_numpy():
    blocks = IMAGE[:, :, :4].reshape(2, 3, 2, 2, 2, 2)
    np.testing.assert_array_equal(ops.max_pool(IMAGE, 2), blocks.max(axis=(2, 4)))
    np.testing.assert_allclose(
        ops.average_pool(IMAGE, 2), blocks.mean(axis=(2, 4)), rtol=1e-6
    )
    same = ops.average_pool(IMAGE, 2, padding="same")
    np.testing.assert_allclose(
        same[:, :, 2], IMAGE[:, :, 4].reshape(2, 3, 2, 2).mean(axis=2), rtol=1e-6
    )


@pytest.mark.parametrize("function", [ops.max_pool, ops.average_pool])
def test_channels_first(function):
    last = function(IMAGE, (3, 2), 1, "same")
    first = function(
        IMAGE.transpose(0, 3, 1, 2), (3, 2), 1, "same", data_format="channels_first"
    )
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), last, rtol=1e-6)


def test_nan_spreads_and_integers_pool():
    x = np.array([[[1.0], [np.nan], [3.0], [2.0]]], "float32")
    for order in (x, x[:, ::-1]):
        assert np.isnan(np.asarray(ops.max_pool(order, 2))).sum() == 1
    whole = ops.max_pool(np.array([[[-5], [-7], [3]]]), 2, padding="same")
    assert whole.tolist() == [[[-5], [3]]]


def test_large_windows():
    long = np.random.default_rng(0).normal(size=(1, 40, 1)).astype("float32")
    pooled = functools.partial(ops.max_pool, pool_size=20)
    np.testing.assert_array_equal(pooled(long), long.reshape(1, 2, 20, 1).max(axis=2))

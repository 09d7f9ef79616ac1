"""Losses that compare directions."""

import jax
import jax.numpy as jnp

from minikeras.losses.loss import LossFunctionWrapper
from minikeras.losses.regression import as_aligned

_MIN_SQUARED_NORM = 1e-14


def l2_normalize(x, axis=-1):
    """x / |x| along `axis`; the zero vector stays zero."""
    squared = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(squared, _MIN_SQUARED_NORM))


def cosine_similarity(y_true, y_pred, axis=-1):
    """-(y_true / |y_true|) . (y_pred / |y_pred|): -1 for one direction, 1 for opposite.

    Args:
        y_true, y_pred: (..., n).
        axis: axis of the vectors.

    Returns:
        (...) losses in [-1, 1].
    """
    y_true, y_pred = as_aligned(y_true, y_pred)
    y_true, y_pred = (l2_normalize(y, axis) for y in (y_true, y_pred))
    return -jnp.sum(y_true * y_pred, axis=axis)


class CosineSimilarity(LossFunctionWrapper):
    """Loss of `cosine_similarity`."""

    _implicit = {"axis": -1}

    def __init__(
        self,
        axis=-1,
        reduction="sum_over_batch_size",
        name="cosine_similarity",
        dtype=None,
    ):
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)

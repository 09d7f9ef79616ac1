"""Losses that compare regions by their overlap."""

import jax.numpy as jnp

from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import as_pair
from minikeras.settings import epsilon


@loss_function
def dice(y_true, y_pred, axis=None):
    """1 - 2 |y p| / (|y| + |p|), where |.| sums over `axis` (None: over all).

    Args:
        y_true, y_pred: arrays of one shape, values in [0, 1].
        axis: int or tuple of ints; the axes of one region.

    Returns:
        () loss in [0, 1], or one for each region.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    overlap = jnp.sum(y_true * y_pred, axis=axis)
    size = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * overlap / (size + epsilon())


@loss_function
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 - |y p| / (|y p| + alpha |y (1 - p)| + beta |(1 - y) p|).

    |.| sums over `axis` (None: over all); alpha = beta = 1/2 is the Dice loss.

    Args:
        y_true, y_pred: arrays of one shape, values in [0, 1].
        alpha: weight of what was missed.
        beta: weight of what was found wrongly.
        axis: int or tuple of ints; the axes of one region.

    Source: Salehi et al., Tversky loss function for image segmentation, 2017.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    overlap = jnp.sum(y_true * y_pred, axis=axis)
    wrong = jnp.sum((1.0 - y_true) * y_pred, axis=axis)
    missed = jnp.sum(y_true * (1.0 - y_pred), axis=axis)
    return 1.0 - overlap / (overlap + wrong * beta + missed * alpha + epsilon())


class Dice(LossFunctionWrapper):
    """Loss of `dice`, whose `axis` it takes."""

    def __init__(
        self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None
    ):
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """Loss of `tversky`, whose arguments it takes."""

    def __init__(
        self,
        alpha=0.5,
        beta=0.5,
        reduction="sum_over_batch_size",
        name="tversky",
        axis=None,
        dtype=None,
    ):
        super().__init__(
            tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis
        )

"""Losses that compare regions by their overlap."""

import jax.numpy as jnp

from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import to_arrays
from minikeras.settings import epsilon


@loss_function
def dice(y_true, y_pred, axis=None):
    """1 - 2 |y p| / (|y| + |p|), where |.| is a sum over `axis`.

    Args:
        y_true: targets y in [0, 1], of any shape.
        y_pred: predictions p in [0, 1], of the same shape.
        axis: axis or axes that one region extends over; None: all.

    Returns:
        Losses in [0, 1] of the regions: the shape without `axis`, () for None.

    >>> float(keras.losses.dice([1.0, 0.0], [1.0, 1.0]))
    0.333333...
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    overlap = jnp.sum(y_true * y_pred, axis=axis)
    size = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * overlap / (size + epsilon())


@loss_function
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 - |y p| / (|y p| + alpha |y (1 - p)| + beta |(1 - y) p|).

    |.| is a sum over `axis`; alpha = beta = 1/2 gives the Dice loss.

    Args:
        y_true, y_pred: targets y, predictions p in [0, 1], arrays of the same shape.
        alpha: >= 0; weight of the false negatives.
        beta: >= 0; weight of the false positives.
        axis: axis or axes that one region extends over; None: all.

    Returns:
        Losses in [0, 1] of the regions: the shape without `axis`, () for None.

    Source: Salehi et al., Tversky loss function for image segmentation, 2017.

    >>> float(keras.losses.tversky([1.0, 0.0], [1.0, 1.0], beta=1.0))
    0.5
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    overlap = jnp.sum(y_true * y_pred, axis=axis)
    false_positive = jnp.sum((1.0 - y_true) * y_pred, axis=axis)
    false_negative = jnp.sum(y_true * (1.0 - y_pred), axis=axis)
    # The order of these additions is Keras's: another one changes the last bit.
    size = overlap + false_positive * beta + false_negative * alpha + epsilon()
    return 1.0 - overlap / size


class Dice(LossFunctionWrapper):
    """1 - 2 |y p| / (|y| + |p|), where |.| is a sum over a region.

    Targets and predictions: arrays of the same shape, values in [0, 1].

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        axis: axis or axes that one region extends over; None: one region is the whole
            batch.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.Dice()([[1.0, 0.0]], [[1.0, 1.0]]))
    0.333333...
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None
    ):
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """1 - |y p| / (|y p| + alpha |y (1 - p)| + beta |(1 - y) p|).

    |.| is a sum over a region; alpha = beta = 1/2 gives the Dice loss. Targets and
    predictions: arrays of the same shape, values in [0, 1].

    Args:
        alpha: >= 0; weight of the false negatives.
        beta: >= 0; weight of the false positives.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        axis: axis or axes that one region extends over; None: one region is the whole
            batch.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Source: Salehi et al., Tversky loss function for image segmentation, 2017.

    >>> float(keras.losses.Tversky(beta=1.0)([[1.0, 0.0]], [[1.0, 1.0]]))
    0.5
    """

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

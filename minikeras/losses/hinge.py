"""Maximum-margin losses."""

import jax.numpy as jnp

from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import to_arrays


def _signs(y_true):
    """Convert labels 0 and 1 to -1 and 1; other labels are returned unchanged."""
    is_binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(is_binary, 2 * y_true - 1, y_true)


@loss_function
def hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)) over the last axis.

    Args:
        y_true: (..., n) labels -1 or 1; labels 0 or 1 are converted to them.
        y_pred: (..., n) scores.

    Returns:
        (...) losses.

    >>> keras.losses.hinge([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [1.0]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    return jnp.mean(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


@loss_function
def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)²) over the last axis.

    Args:
        y_true: (..., n) labels -1 or 1; labels 0 or 1 are converted to them.
        y_pred: (..., n) scores.

    Returns:
        (...) losses.

    >>> keras.losses.squared_hinge([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [1.25]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    margin = jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0)
    return jnp.mean(jnp.square(margin), axis=-1)


@loss_function
def categorical_hinge(y_true, y_pred):
    """max(0, 1 + highest score of the wrong classes - score of the right class).

    Args:
        y_true: (..., classes) one-hot labels.
        y_pred: (..., classes) scores.

    Returns:
        (...) losses.

    >>> keras.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]]).tolist()
    [0.75]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    true_score = jnp.sum(y_true * y_pred, axis=-1)
    other_score = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(other_score - true_score + 1.0, 0.0)


class Hinge(LossFunctionWrapper):
    """mean(max(1 - y_true y_pred, 0)).

    Targets, -1 or 1 (or 0 or 1), and predictions: (batch, ..., n).

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.Hinge()([[1.0, 0.0]], [[0.5, 0.5]]))
    1.0
    """

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """mean(max(1 - y_true y_pred, 0)²).

    Targets, -1 or 1 (or 0 or 1), and predictions: (batch, ..., n).

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.SquaredHinge()([[1.0, 0.0]], [[0.5, 0.5]]))
    1.25
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None
    ):
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """max(0, 1 + highest score of the wrong classes - score of the right class).

    Targets, one-hot, and predictions: (batch, ..., classes).

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None
    ):
        super().__init__(categorical_hinge, reduction, name, dtype)

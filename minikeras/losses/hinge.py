"""Maximum-margin losses."""

import jax.numpy as jnp

from minikeras.losses.loss import LossFunctionWrapper, loss_function
from minikeras.losses.regression import as_pair


def _signs(y_true):
    """Labels 0 / 1 -> -1 / 1; any other labels are taken as they are."""
    is_binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(is_binary, 2 * y_true - 1, y_true)


@loss_function
def hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)) over the last axis.

    Args:
        y_true: (..., n) labels -1 or 1; labels 0 or 1 are converted to them.
        y_pred: (..., n).

    Returns:
        (...) losses.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return jnp.mean(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


@loss_function
def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)²) over the last axis.

    Args and Returns: as `hinge`.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    margin = jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0)
    return jnp.mean(jnp.square(margin), axis=-1)


@loss_function
def categorical_hinge(y_true, y_pred):
    """max(0, 1 + highest wrong score - right score): (..., n) twice -> (...).

    Args:
        y_true: (..., n) one-hot labels.
        y_pred: (..., n) scores.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    right = jnp.sum(y_true * y_pred, axis=-1)
    wrong = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(wrong - right + 1.0, 0.0)


class Hinge(LossFunctionWrapper):
    """Loss of `hinge`."""

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """Loss of `squared_hinge`."""

    def __init__(
        self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None
    ):
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """Loss of `categorical_hinge`."""

    def __init__(
        self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None
    ):
        super().__init__(categorical_hinge, reduction, name, dtype)

"""Losses between numbers: squared, absolute, relative, logarithmic errors."""

import math

import jax
import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import (
    LossFunctionWrapper,
    loss_function,
    squeeze_or_expand_to_same_rank,
)
from minikeras.settings import epsilon


def to_arrays(y_true, y_pred):
    """Convert both to arrays of the dtype of the predictions."""
    y_pred = convert_to_tensor(y_pred)
    return convert_to_tensor(y_true, y_pred.dtype), y_pred


def to_arrays_of_same_rank(y_true, y_pred):
    """`to_arrays`; a trailing axis of size 1 that only one of them has is removed."""
    return squeeze_or_expand_to_same_rank(*to_arrays(y_true, y_pred))


@loss_function
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)²) over the last axis.

    Args:
        y_true: (..., n) targets.
        y_pred: (..., n) predictions.

    Returns:
        (...) losses.

    >>> keras.losses.mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


@loss_function
def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|) over the last axis.

    Args:
        y_true: (..., n) targets.
        y_pred: (..., n) predictions.

    Returns:
        (...) losses.

    >>> keras.losses.mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [1.0]
    """
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


@loss_function
def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean(|y_true - y_pred| / |y_true|) over the last axis.

    Args:
        y_true: (..., n) targets; |y_true| below `epsilon()` counts as `epsilon()`.
        y_pred: (..., n) predictions.

    Returns:
        (...) losses, in percent.

    >>> keras.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
    [25.0]
    """
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    size = jnp.maximum(jnp.abs(y_true), jnp.asarray(epsilon(), y_pred.dtype))
    return 100.0 * jnp.mean(jnp.abs((y_true - y_pred) / size), axis=-1)


@loss_function
def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(y_true + 1) - log(y_pred + 1))²) over the last axis.

    Args:
        y_true: (..., n) targets; values below `epsilon()` count as `epsilon()`.
        y_pred: (..., n) predictions; values below `epsilon()` count as `epsilon()`.

    Returns:
        (...) losses.

    >>> keras.losses.mean_squared_logarithmic_error([[1.0]], [[3.0]]).tolist()
    [0.480453...]
    """
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    log_true, log_pred = (
        jnp.log(jnp.maximum(y, jnp.asarray(epsilon(), y.dtype)) + 1.0)
        for y in (y_true, y_pred)
    )
    return jnp.mean(jnp.square(log_true - log_pred), axis=-1)


@loss_function
def huber(y_true, y_pred, delta=1.0):
    """Mean of e²/2 where |e| <= delta, of delta |e| - delta²/2 elsewhere.

    e = y_pred - y_true; the mean is over the last axis.

    Args:
        y_true: (..., n) targets.
        y_pred: (..., n) predictions.
        delta: > 0; the error at which the loss turns from quadratic to linear.

    Returns:
        (...) losses.

    Source: Huber, Robust Estimation of a Location Parameter, 1964.

    >>> keras.losses.huber([[0.0, 0.0]], [[0.5, 3.0]]).tolist()
    [1.3125]
    """
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    delta = convert_to_tensor(delta, y_pred.dtype)
    error = y_pred - y_true
    size = jnp.abs(error)
    linear = delta * size - 0.5 * jnp.square(delta)
    return jnp.mean(jnp.where(size <= delta, 0.5 * jnp.square(error), linear), axis=-1)


@loss_function
def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true))) over the last axis.

    Args:
        y_true: (..., n) targets.
        y_pred: (..., n) predictions.

    Returns:
        (...) losses.

    >>> keras.losses.log_cosh([[0.0, 0.0]], [[0.0, 2.0]]).tolist()
    [0.662501...]
    """
    y_true, y_pred = to_arrays_of_same_rank(y_true, y_pred)
    error = y_pred - y_true
    # log(cosh(x)) = x + softplus(-2x) - log(2), since cosh(x) overflows float32 at 89.
    log_2 = jnp.asarray(math.log(2.0), error.dtype)
    return jnp.mean(error + jax.nn.softplus(error * -2.0) - log_2, axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """mean((y_true - y_pred)²).

    Targets and predictions: (batch, ..., n).

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
    2.0
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None
    ):
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """mean(|y_true - y_pred|).

    Targets and predictions: (batch, ..., n).

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]))
    1.0
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None
    ):
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """100 mean(|y_true - y_pred| / |y_true|).

    Targets and predictions: (batch, ..., n). |y_true| below `epsilon()` counts as
    `epsilon()`.

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="mean_absolute_percentage_error",
        dtype=None,
    ):
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """mean((log(y_true + 1) - log(y_pred + 1))²).

    Targets and predictions: (batch, ..., n), clipped below at `epsilon()`.

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.MeanSquaredLogarithmicError()([[1.0]], [[3.0]]))
    0.480453...
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="mean_squared_logarithmic_error",
        dtype=None,
    ):
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Mean of e²/2 where |e| <= delta, of delta |e| - delta²/2 elsewhere.

    e = y_pred - y_true; targets and predictions: (batch, ..., n).

    Args:
        delta: > 0; the error at which the loss turns from quadratic to linear.
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    Source: Huber, Robust Estimation of a Location Parameter, 1964.

    >>> float(keras.losses.Huber()([[0.0, 0.0]], [[0.5, 3.0]]))
    1.3125
    """

    _mk_implicit = {"delta": 1.0}

    def __init__(
        self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None
    ):
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """mean(log(cosh(y_pred - y_true))).

    Targets and predictions: (batch, ..., n).

    Args:
        reduction: "sum_over_batch_size" or "mean" (sum / number of values),
            "mean_with_sample_weight" (sum / sum of the weights), "sum" or "none".
        name: name of the loss.
        dtype: dtype or policy of the computation; `floatx()` by default.

    >>> float(keras.losses.LogCosh()([[0.0, 0.0]], [[0.0, 2.0]]))
    0.662501...
    """

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(log_cosh, reduction, name, dtype)

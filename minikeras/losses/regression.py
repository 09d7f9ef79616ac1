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


def as_pair(y_true, y_pred):
    """Both as arrays of the dtype of the predictions."""
    y_pred = convert_to_tensor(y_pred)
    return convert_to_tensor(y_true, y_pred.dtype), y_pred


def as_aligned(y_true, y_pred):
    """`as_pair`, and of one rank where a trailing 1 tells them apart."""
    return squeeze_or_expand_to_same_rank(*as_pair(y_true, y_pred))


@loss_function
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)²) over the last axis: (..., n), (..., n) -> (...).

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = as_aligned(y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


@loss_function
def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|) over the last axis: (..., n), (..., n) -> (...).

    >>> mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [1.0]
    """
    y_true, y_pred = as_aligned(y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


@loss_function
def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean(|y_true - y_pred| / |y_true|) over the last axis.

    |y_true| is taken as at least `epsilon()`: (..., n), (..., n) -> (...).
    """
    y_true, y_pred = as_aligned(y_true, y_pred)
    size = jnp.maximum(jnp.abs(y_true), jnp.asarray(epsilon(), y_pred.dtype))
    return 100.0 * jnp.mean(jnp.abs((y_true - y_pred) / size), axis=-1)


@loss_function
def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(y_true + 1) - log(y_pred + 1))²): (..., n), (..., n) -> (...).

    Values below `epsilon()` are taken as `epsilon()`.
    """
    y_true, y_pred = as_aligned(y_true, y_pred)
    log_true, log_pred = (
        jnp.log(jnp.maximum(y, jnp.asarray(epsilon(), y.dtype)) + 1.0)
        for y in (y_true, y_pred)
    )
    return jnp.mean(jnp.square(log_true - log_pred), axis=-1)


@loss_function
def huber(y_true, y_pred, delta=1.0):
    """Mean over the last axis of e²/2 where |e| <= delta, else delta |e| - delta²/2.

    Args:
        y_true, y_pred: (..., n).
        delta: > 0; where the squared error turns into the absolute one.

    Returns:
        (...) losses.
    """
    y_true, y_pred = as_aligned(y_true, y_pred)
    delta = convert_to_tensor(delta, y_pred.dtype)
    error = y_pred - y_true
    size = jnp.abs(error)
    linear = delta * size - 0.5 * jnp.square(delta)
    return jnp.mean(jnp.where(size <= delta, 0.5 * jnp.square(error), linear), axis=-1)


@loss_function
def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true))) over the last axis: (..., n) twice -> (...)."""
    y_true, y_pred = as_aligned(y_true, y_pred)
    error = y_pred - y_true
    # log(cosh(x)) = x + softplus(-2x) - log(2): exact where cosh(x) overflows.
    log_2 = jnp.asarray(math.log(2.0), error.dtype)
    return jnp.mean(error + jax.nn.softplus(error * -2.0) - log_2, axis=-1)


@loss_function
def poisson(y_true, y_pred):
    """mean(y_pred - y_true log(y_pred)) over the last axis: (..., n) twice -> (...).

    The negative log-likelihood of counts `y_true` >= 0 at rates `y_pred` > 0, but for
    what does not depend on the rates.
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    log_pred = jnp.log(y_pred + jnp.asarray(epsilon(), y_pred.dtype))
    return jnp.mean(y_pred - y_true * log_pred, axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """Loss of `mean_squared_error`."""

    def __init__(
        self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None
    ):
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """Loss of `mean_absolute_error`."""

    def __init__(
        self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None
    ):
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Loss of `mean_absolute_percentage_error`."""

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="mean_absolute_percentage_error",
        dtype=None,
    ):
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Loss of `mean_squared_logarithmic_error`."""

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="mean_squared_logarithmic_error",
        dtype=None,
    ):
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Loss of `huber`."""

    _mk_implicit = {"delta": 1.0}

    def __init__(
        self,
        delta=1.0,
        reduction="sum_over_batch_size",
        name="huber_loss",
        dtype=None,
    ):
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """Loss of `log_cosh`."""

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(log_cosh, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """Loss of `poisson`."""

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(poisson, reduction, name, dtype)

"""Errors of predicted numbers."""

import jax.numpy as jnp

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import squeeze_or_expand_to_same_rank
from minikeras.losses.regression import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from minikeras.losses.similarity import cosine_similarity as cosine_loss
from minikeras.metrics.reduction import Mean, MeanMetricWrapper


def cosine_similarity(y_true, y_pred, axis=-1):
    """Cosine of the angle between vectors: (..., n) twice -> (...) in [-1, 1]."""
    return -cosine_loss(y_true, y_pred, axis)


class MeanSquaredError(MeanMetricWrapper):
    """Mean of `losses.mean_squared_error`."""

    _mk_direction = "down"

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of `losses.mean_absolute_error`."""

    _mk_direction = "down"

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of `losses.mean_absolute_percentage_error`."""

    _mk_direction = "down"

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of `losses.mean_squared_logarithmic_error`."""

    _mk_direction = "down"

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of `losses.log_cosh`."""

    _mk_direction = "down"

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(log_cosh, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Mean of `cosine_similarity`: 1 for one direction, -1 for opposite ones."""

    _mk_direction = "up"
    _mk_implicit = {"axis": -1}

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class RootMeanSquaredError(Mean):
    """sqrt(mean((y_true - y_pred)²)) over all elements."""

    _mk_direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of (n, ...) targets and predictions."""
        y_true, y_pred = squeeze_or_expand_to_same_rank(
            convert_to_tensor(y_true, self.dtype), convert_to_tensor(y_pred, self.dtype)
        )
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self):
        """The error so far."""
        return jnp.sqrt(super().result())

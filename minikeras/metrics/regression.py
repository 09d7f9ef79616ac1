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
    """cos(angle between the vectors): (..., n), (..., n) -> (...) in [-1, 1]."""
    return -cosine_loss(y_true, y_pred, axis)


class MeanSquaredError(MeanMetricWrapper):
    """Mean of (y_true - y_pred)²; both (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
    2.0
    """

    _mk_direction = "down"

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of |y_true - y_pred|; both (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]))
    1.0
    """

    _mk_direction = "down"

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of 100 |y_true - y_pred| / |y_true|; both (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    _mk_direction = "down"

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of (log(y_true + 1) - log(y_pred + 1))²; both (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.MeanSquaredLogarithmicError()([[1.0]], [[3.0]]))
    0.480453...
    """

    _mk_direction = "down"

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of log(cosh(y_pred - y_true)); both (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.LogCoshError()([[0.0, 0.0]], [[0.0, 2.0]]))
    0.662501...
    """

    _mk_direction = "down"

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(log_cosh, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """Mean of cos(angle between y_true and y_pred): 1 for the same direction.

    Targets and predictions: (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        axis: axis of the vectors.

    >>> float(keras.metrics.CosineSimilarity()([[0.0, 2.0]], [[0.0, 3.0]]))
    1.0
    """

    _mk_direction = "up"
    _mk_implicit = {"axis": -1}

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class RootMeanSquaredError(Mean):
    """sqrt(mean((y_true - y_pred)²)) over all entries.

    Targets and predictions: (batch, ...).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.RootMeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
    1.414213...
    """

    _mk_direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, ...) targets.
            y_pred: (batch, ...) predictions.
            sample_weight: weights that broadcast to the scores; None: all 1.
        """
        y_true, y_pred = squeeze_or_expand_to_same_rank(
            convert_to_tensor(y_true, self.dtype), convert_to_tensor(y_pred, self.dtype)
        )
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self):
        """Return the error so far."""
        return jnp.sqrt(super().result())

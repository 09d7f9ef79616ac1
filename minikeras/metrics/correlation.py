"""How two series of numbers go together."""

import jax.numpy as jnp

from minikeras.losses.regression import to_arrays
from minikeras.metrics.reduction import MeanMetricWrapper
from minikeras.settings import epsilon


def _centered(y, axis):
    """y minus its mean along `axis`."""
    return y - jnp.mean(y, axis=axis, keepdims=True)


def pearson_correlation(y_true, y_pred, axis=-1):
    """Covariance over the product of the standard deviations, in [-1, 1].

    Args:
        y_true: (..., n) targets.
        y_pred: (..., n) predictions.
        axis: axis along which they are correlated.

    Returns:
        (...) coefficients; NaN where one of them is constant.

    >>> y_true, y_pred = [[1.0, 2.0, 3.0]], [[3.0, 1.0, 2.0]]
    >>> keras.metrics.pearson_correlation(y_true, y_pred).round(3).tolist()
    [-0.5]
    """
    y_true, y_pred = (_centered(y, axis) for y in to_arrays(y_true, y_pred))
    y_true = y_true / jnp.std(y_true, axis=axis, keepdims=True)
    y_pred = y_pred / jnp.std(y_pred, axis=axis, keepdims=True)
    return jnp.mean(y_true * y_pred, axis=axis)


def concordance_correlation(y_true, y_pred, axis=-1):
    """2 covariance / (variances + (difference of the means)²), in [-1, 1].

    Args:
        y_true: (..., n) targets.
        y_pred: (..., n) predictions.
        axis: axis along which they are correlated.

    Returns:
        (...) coefficients.

    Source: Lin, A Concordance Correlation Coefficient, 1989.

    >>> y_true, y_pred = [[1.0, 2.0, 3.0]], [[2.0, 3.0, 4.0]]
    >>> keras.metrics.concordance_correlation(y_true, y_pred).tolist()
    [0.571428...]
    """
    y_true, y_pred = to_arrays(y_true, y_pred)
    covariance = jnp.mean(_centered(y_true, axis) * _centered(y_pred, axis), axis=axis)
    spread = jnp.var(y_true, axis=axis) + jnp.var(y_pred, axis=axis)
    shift = jnp.mean(y_true, axis=axis) - jnp.mean(y_pred, axis=axis)
    return 2.0 * covariance / (spread + jnp.square(shift) + epsilon())


class PearsonCorrelation(MeanMetricWrapper):
    """Mean of covariance / product of the standard deviations; both (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        axis: axis along which targets and predictions are correlated.

    >>> metric = keras.metrics.PearsonCorrelation()
    >>> round(float(metric([[1.0, 2.0, 3.0]], [[3.0, 1.0, 2.0]])), 3)
    -0.5
    """

    _mk_direction = "up"

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean of 2 covariance / (variances + (difference of the means)²).

    Targets and predictions: (batch, ..., n).

    Args:
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        axis: axis along which targets and predictions are correlated.

    Source: Lin, A Concordance Correlation Coefficient, 1989.

    >>> metric = keras.metrics.ConcordanceCorrelation()
    >>> float(metric([[1.0, 2.0, 3.0]], [[2.0, 3.0, 4.0]]))
    0.571428...
    """

    _mk_direction = "up"

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)

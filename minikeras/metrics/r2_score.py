"""R2: how much of the variance predictions explain."""

import jax.numpy as jnp

from minikeras.core.members import all_or_nothing
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import squeeze_or_expand_to_same_rank
from minikeras.metrics.f_score import check_rank_2, row_weights
from minikeras.metrics.metric import Metric

_SUM_NAMES = ("squared_sum", "sum", "residual", "count")


def r2(squared_sum, total, residual, count):
    """1 - residual / variance of each column, from weighted sums.

    Args:
        squared_sum: (columns,) sums of y²; all sums are weighted.
        total: (columns,) sums of y.
        residual: (columns,) sums of (y - prediction)².
        count: (columns,) sums of the weights.

    Returns:
        (columns,) scores; as in Keras 0 where only the variance is 0, NaN where the
        residual is 0 too.
    """
    variance = squared_sum - total * (total / count)
    score = 1.0 - residual / variance
    return jnp.where(jnp.isinf(score), 0.0, score)


class R2Score(Metric):
    """1 - sum((y_true - y_pred)²) / sum((y_true - mean)²) of each column.

    Targets and predictions: (batch, columns).

    Args:
        class_aggregation: "uniform_average" (mean of the columns),
            "variance_weighted_average", or None (one score for each column).
        num_regressors: p >= 0; with p > 0 the score is adjusted to
            1 - (1 - r2) (n - 1) / (n - p - 1), for n targets.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: unknown aggregation, or `num_regressors` < 0.

    >>> float(keras.metrics.R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]]))
    0.5
    """

    _mk_direction = "up"

    def __init__(
        self,
        class_aggregation="uniform_average",
        num_regressors=0,
        name="r2_score",
        dtype=None,
    ):
        super().__init__(name=name, dtype=dtype)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{known}, got {class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0, "
                f"got {num_regressors}."
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._mk_built = False

    @all_or_nothing
    def _mk_build(self, y_true_shape, y_pred_shape):
        check_rank_2("R2Score", y_true_shape, y_pred_shape)
        for name in _SUM_NAMES:
            setattr(
                self, name, self.add_variable(y_pred_shape[-1:], "zeros", name=name)
            )
        self._mk_built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, columns) targets; (batch,) if `y_pred` has one column.
            y_pred: (batch, columns) predictions.
            sample_weight: (batch,) or (batch, columns) weights; None: all 1.

        Raises:
            ValueError: targets or predictions have another rank, or other columns.
        """
        y_true = convert_to_tensor(y_true, self.dtype)
        y_pred = convert_to_tensor(y_pred, self.dtype)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if not self._mk_built:
            self._mk_build(y_true.shape, y_pred.shape)
        weight = jnp.ones_like(y_true)
        if sample_weight is not None:
            weight = row_weights(sample_weight, y_true)
        for name, value in (
            ("sum", y_true * weight),
            ("squared_sum", y_true * (y_true * weight)),
            ("residual", jnp.square(y_true - y_pred) * weight),
            ("count", weight),
        ):
            getattr(self, name).assign_add(jnp.sum(value, axis=0))
        self.num_samples.assign_add(y_true.size)

    def result(self):
        """Return the score: (columns,) if `class_aggregation` is None, else ()."""
        sums = (getattr(self, name).value for name in _SUM_NAMES)
        squared_sum, total, residual, count = sums
        score = r2(squared_sum, total, residual, count)
        if self.class_aggregation == "uniform_average":
            score = jnp.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            variance = squared_sum - total * (total / count)
            score = jnp.sum(score * (variance / jnp.sum(variance)))
        return self._mk_adjusted(score) if self.num_regressors else score

    def _mk_adjusted(self, score):
        """The score with a penalty for the number of regressors, where there is one."""
        n, p = self.num_samples.value, self.num_regressors
        degrees = n - p - 1
        adjusted = 1.0 - (1.0 - score) * (n - 1) / jnp.where(degrees > 0, degrees, 1)
        return jnp.where(degrees > 0, adjusted, score)

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }

"""R2: how much of the variance predictions explain."""

import jax.numpy as jnp

from minikeras.core.members import whole
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import squeeze_or_expand_to_same_rank
from minikeras.metrics.f_score import check_rank_2, row_weights
from minikeras.metrics.metric import Metric

_SUMS = ("squared_sum", "sum", "residual", "count")


def r2(squared_sum, total, residual, count):
    """1 - residual / variance; per column, from weighted sums.

    0 where only the variance is 0, nan where both are.
    """
    variance = squared_sum - total * (total / count)
    score = 1.0 - residual / variance
    return jnp.where(jnp.isinf(score), 0.0, score)


class R2Score(Metric):
    """1 - sum((y_true - y_pred)²) / sum((y_true - mean)²) of each column.

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average", or None
            (one score per column).
        num_regressors: p >= 0; with p > 0 the adjusted score
            1 - (1 - r2) (n - 1) / (n - p - 1) of n targets.
        name, dtype: see `Metric`.

    Raises:
        ValueError: unknown aggregation, negative `num_regressors`, at an update inputs
            that are not (n, columns).
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

    @whole
    def _mk_build(self, y_true_shape, y_pred_shape):
        check_rank_2("R2Score", y_true_shape, y_pred_shape)
        for name in _SUMS:
            setattr(
                self, name, self.add_variable(y_pred_shape[-1:], "zeros", name=name)
            )
        self._mk_built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of (n, columns) targets and predictions; one may be (n,)."""
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
        """The score: (columns,) if `class_aggregation` is None, else ()."""
        squared_sum, total, residual, count = (getattr(self, n).value for n in _SUMS)
        score = r2(squared_sum, total, residual, count)
        if self.class_aggregation == "uniform_average":
            score = jnp.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            variance = squared_sum - total * (total / count)
            score = jnp.sum(score * (variance / jnp.sum(variance)))
        return self._mk_adjusted(score) if self.num_regressors else score

    def _mk_adjusted(self, score):
        n, p = self.num_samples.value, self.num_regressors
        left = n - p - 1
        adjusted = 1.0 - (1.0 - score) * (n - 1) / jnp.where(left > 0, left, 1)
        return jnp.where(left > 0, adjusted, score)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }

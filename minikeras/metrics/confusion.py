"""Confusion counts at thresholds, and the metrics that are made of them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import (
    broadcast_weights,
    squeeze_or_expand_to_same_rank,
)
from minikeras.metrics.metric import Metric
from minikeras.ops import divide_no_nan
from minikeras.settings import floatx

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def count_below(scores, limits):
    """The number of `limits` below each score.

    Args:
        scores: array of any shape; NaN counts as below all limits.
        limits: (T,) NumPy array in rising order.

    Returns:
        Integers in [0, T], in the shape of `scores`.

    >>> count_below(jnp.array([0.1, 0.5, 0.7]), np.array([0.2, 0.5, 0.6])).tolist()
    [0, 1, 3]
    """
    scores = jnp.where(jnp.isnan(scores), -jnp.inf, scores)
    last = len(limits) - 1
    # The rounding error of scores * last is below 0.1, so the index is off by one at
    # most, which the two comparisons below correct.
    exact = jnp.finfo(scores.dtype).eps * last < 0.1
    even = last > 1 and np.allclose(limits, np.arange(last + 1) / last, atol=1e-6)
    if not (exact and even):
        limits = jnp.asarray(limits, scores.dtype)
        return jnp.searchsorted(limits, scores, side="left")
    # Even limits: one product and two comparisons, where a binary search of the 200
    # limits of AUC takes eight comparisons.
    index = jnp.clip(jnp.floor(scores * last), 0, last).astype("int32")
    limits = jnp.asarray(np.append(limits, np.inf), scores.dtype)
    return index + (scores > limits[index]) + (scores > limits[index + 1])


def weight_above(scores, weights, groups, count, thresholds):
    """Sum, for each group and threshold, the weights of the scores above it.

    Each score goes into a bucket between two thresholds, which takes O(n + T) memory.
    Comparing each score with each threshold would take O(n T).

    Args:
        scores: (n,) scores.
        weights: (n,) weights of the scores.
        groups: (n,) integers in [0, count): the group of each score.
        count: number of groups.
        thresholds: list of T floats in any order.

    Returns:
        (count, T) sums above the thresholds, (count,) sums of all weights.

    >>> scores, ones = jnp.array([0.2, 0.8, 0.6]), jnp.ones(3)
    >>> above, _ = weight_above(scores, ones, jnp.array([0, 0, 1]), 2, [0.1, 0.5])
    >>> above.tolist()
    [[2.0, 1.0], [1.0, 1.0]]
    """
    order = np.argsort(thresholds)
    bucket = count_below(scores, np.asarray(thresholds)[order])
    size = len(thresholds) + 1
    sums = jax.ops.segment_sum(weights, groups * size + bucket, count * size)
    sums = jax.lax.cumsum(sums.reshape(count, size), axis=1, reverse=True)
    return sums[:, 1:][:, np.argsort(order)], sums[:, 0]


def confusion_counts(y_true, y_pred, thresholds, sample_weight=None, columns=False):
    """Count true and false, positive and negative predictions `y_pred > threshold`.

    Args:
        y_true: (...) labels; all except 0 are positive.
        y_pred: (...) scores.
        thresholds: list of T floats.
        sample_weight: weights that broadcast to the first axes of `y_pred`, or None.
        columns: bool, whether to count each column of the last axis separately.

    Returns:
        {name of a count: (T,) counts}; (T, columns) if `columns`.

    Raises:
        ValueError: shapes of labels, scores and weights that do not fit.
    """
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "y_true and y_pred must have the same shape, got "
            f"y_true.shape={y_true.shape} and y_pred.shape={y_pred.shape}."
        )
    weights = None
    if sample_weight is not None:
        weights = convert_to_tensor(sample_weight, y_pred.dtype)
        _, weights = squeeze_or_expand_to_same_rank(
            y_pred, weights, expand_rank_1=False
        )
        weights = weights.reshape(weights.shape + (1,) * (y_pred.ndim - weights.ndim))
        weights = broadcast_weights(weights, y_pred)
    return _count(y_true, y_pred, weights, tuple(thresholds), columns)


# Compiled: an eager call would dispatch each of twenty small operations.
@functools.partial(jax.jit, static_argnames=("thresholds", "columns"), inline=True)
def _count(y_true, y_pred, weights, thresholds, columns):
    """`confusion_counts` of arrays of the same shape."""
    weights = jnp.ones_like(y_pred) if weights is None else weights
    width = y_pred.shape[-1] if columns else 1
    column = jnp.broadcast_to(jnp.arange(width) if columns else 0, y_pred.shape)
    groups = 2 * column + (y_true != 0)
    scores, weights, groups = (x.reshape(-1) for x in (y_pred, weights, groups))
    above, total = weight_above(scores, weights, groups, 2 * width, thresholds)
    below = total[:, None] - above
    # Even groups are the negatives of a column, odd groups its positives.
    counts = (above[1::2], above[::2], below[::2], below[1::2])
    counts = [count.T if columns else count[0] for count in counts]
    return dict(zip(COUNTS, counts, strict=True))


def keep_top_k(y_pred, k):
    """Set scores that are not among the `k` largest of their row to -1e10."""
    _, best = jax.lax.top_k(y_pred, k)
    kept = jax.nn.one_hot(best, y_pred.shape[-1], dtype=bool).any(axis=-2)
    return jnp.where(kept, y_pred, -1e10)


def parse_thresholds(thresholds, default=0.5):
    """Make a list of floats; ValueError if one is not in [0, 1]; None: [default]."""
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple)) else [thresholds]
    if wrong := [t for t in values if t is None or not 0 <= t <= 1]:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return values


def select_class(y_true, y_pred, class_id):
    """Take one column of (n, classes) labels and scores; None: all columns."""
    if class_id is None:
        return y_true, y_pred
    if y_pred.ndim != 2:
        raise ValueError(
            "When class_id is provided, y_pred must be a 2D array with shape "
            f"(num_samples, num_classes), found shape: {y_pred.shape}."
        )
    if not -y_pred.shape[1] <= class_id < y_pred.shape[1]:
        raise ValueError(
            f"class_id={class_id} is none of the {y_pred.shape[1]} classes of y_pred, "
            f"whose shape is {y_pred.shape}."
        )
    return y_true[..., class_id], y_pred[..., class_id]


class _ConfusionMetric(Metric):
    """Base of metrics that accumulate some of the four confusion counts."""

    _mk_counts: tuple[str, ...] = COUNTS

    def __init__(self, thresholds, name, dtype):
        super().__init__(name=name, dtype=dtype)
        self.thresholds = thresholds

    def _mk_add_counters(self, shape):
        """Create a Variable for each of the counts, as attributes."""
        for name in self._mk_counts:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _mk_to_arrays(self, y_true, y_pred):
        """Convert labels and scores to arrays of the same rank, in `floatx()`."""
        arrays = (convert_to_tensor(y, floatx()) for y in (y_true, y_pred))
        return squeeze_or_expand_to_same_rank(*arrays)

    def _mk_add(self, y_true, y_pred, sample_weight, columns=False):
        """Add the counts of a batch to the Variables."""
        counts = confusion_counts(
            y_true, y_pred, self.thresholds, sample_weight, columns
        )
        for name in self._mk_counts:
            getattr(self, name).assign_add(counts[name])


class _ConditionCount(_ConfusionMetric):
    """Base of metrics that are one of the four confusion counts."""

    _mk_condition = ""

    def __init__(self, thresholds=None, name=None, dtype=None):
        self.init_thresholds = thresholds
        super().__init__(parse_thresholds(thresholds), name, dtype)
        self.accumulator = self.add_variable(
            (len(self.thresholds),), "zeros", name="accumulator"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, ...) labels 0 or 1.
            y_pred: (batch, ...) scores in [0, 1].
            sample_weight: weights that broadcast to the scores; None: all 1.
        """
        y_true, y_pred = self._mk_to_arrays(y_true, y_pred)
        counts = confusion_counts(y_true, y_pred, self.thresholds, sample_weight)
        self.accumulator.assign_add(counts[self._mk_condition])

    def result(self):
        """Return the count: a scalar, or (T,) for T thresholds."""
        count = self.accumulator.value
        return count[0] if len(self.thresholds) == 1 else count

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_ConditionCount):
    """Sum of the weights of positives with scores above a threshold.

    Args:
        thresholds: number or list of numbers in [0, 1], 0.5 by default; scores above
            it are positive.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]))
    2.0
    """

    _mk_condition = "true_positives"


class FalsePositives(_ConditionCount):
    """Sum of the weights of negatives with scores above a threshold.

    Args:
        thresholds: number or list of numbers in [0, 1], 0.5 by default; scores above
            it are positive.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.FalsePositives()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]))
    1.0
    """

    _mk_condition = "false_positives"


class TrueNegatives(_ConditionCount):
    """Sum of the weights of negatives with scores not above a threshold.

    Args:
        thresholds: number or list of numbers in [0, 1], 0.5 by default; scores above
            it are positive.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.TrueNegatives()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]))
    0.0
    """

    _mk_condition = "true_negatives"


class FalseNegatives(_ConditionCount):
    """Sum of the weights of positives with scores not above a threshold.

    Args:
        thresholds: number or list of numbers in [0, 1], 0.5 by default; scores above
            it are positive.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    >>> float(keras.metrics.FalseNegatives()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]))
    1.0
    """

    _mk_condition = "false_negatives"


class _PrecisionOrRecall(_ConfusionMetric):
    """Base of Precision and Recall: true positives / (true positives + errors)."""

    _mk_direction = "up"

    def __init__(
        self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None
    ):
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        # With top_k alone, the k largest scores are positive, whatever their values:
        # `keep_top_k` sets the others to -1e10, and the comparison is strict.
        default = 0.5 if top_k is None else -1e10
        super().__init__(parse_thresholds(thresholds, default), name, dtype)
        self._mk_add_counters((len(self.thresholds),))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, ...) labels 0 or 1.
            y_pred: (batch, ...) scores in [0, 1].
            sample_weight: weights that broadcast to the scores; None: all 1.

        Raises:
            ValueError: `class_id` is not a column of (batch, classes) scores.
        """
        y_true, y_pred = self._mk_to_arrays(y_true, y_pred)
        if self.top_k is not None:
            y_pred = keep_top_k(y_pred, self.top_k)
        y_true, y_pred = select_class(y_true, y_pred, self.class_id)
        self._mk_add(y_true, y_pred, sample_weight)

    def result(self):
        """Return the metric: a scalar, or (T,) for T thresholds."""
        hits, errors = (getattr(self, name).value for name in self._mk_counts)
        rate = divide_no_nan(hits, hits + errors)
        return rate[0] if len(self.thresholds) == 1 else rate

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_PrecisionOrRecall):
    """TP / (TP + FP): the share of true positives among the predicted positives.

    Args:
        thresholds: number or list of numbers in [0, 1]; scores above it are positive.
            By default 0.5, with `top_k` no threshold.
        top_k: only the `top_k` largest scores of a row can be positive; None: all can.
        class_id: column of (batch, classes) that counts; None: all columns.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: a threshold is not in [0, 1].

    >>> float(keras.metrics.Precision()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]))
    0.666666...
    """

    _mk_counts = ("true_positives", "false_positives")


class Recall(_PrecisionOrRecall):
    """TP / (TP + FN): the share of the positives that are predicted as such.

    Args:
        thresholds: number or list of numbers in [0, 1]; scores above it are positive.
            By default 0.5, with `top_k` no threshold.
        top_k: only the `top_k` largest scores of a row can be positive; None: all can.
        class_id: column of (batch, classes) that counts; None: all columns.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: a threshold is not in [0, 1].

    >>> float(keras.metrics.Recall()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.2]))
    0.333333...
    """

    _mk_counts = ("true_positives", "false_negatives")

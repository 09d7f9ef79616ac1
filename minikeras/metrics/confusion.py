"""Counts of right and wrong decisions at thresholds, and what follows from them."""

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
    """How many of the rising `limits` lie below each score; 0 for NaN.

    >>> count_below(jnp.array([0.1, 0.5, 0.7]), np.array([0.2, 0.5, 0.6])).tolist()
    [0, 1, 3]
    """
    scores = jnp.where(jnp.isnan(scores), -jnp.inf, scores)
    last = len(limits) - 1
    exact = jnp.finfo(scores.dtype).eps * last < 0.1  # of the division
    even = last > 1 and np.allclose(limits, np.arange(last + 1) / last, atol=1e-6)
    if not (exact and even):
        limits = jnp.asarray(limits, scores.dtype)
        return jnp.searchsorted(limits, scores, side="left")
    # Even limits: a division finds the place but for rounding, which two comparisons
    # mend; a search would take eight of them for 200 limits.
    place = jnp.clip(jnp.floor(scores * last), 0, last).astype("int32")
    limits = jnp.asarray(np.append(limits, np.inf), scores.dtype)
    return place + (scores > limits[place]) + (scores > limits[place + 1])


def weight_above(scores, weights, groups, count, thresholds):
    """For each group and threshold the weight of the group's scores above it.

    Each score falls into the bucket between two thresholds: that is O(n + T) memory,
    where comparing all with all would be O(n T).

    Args:
        scores, weights: (n,).
        groups: (n,) integers in [0, count).
        count: number of groups.
        thresholds: list of T floats in any order.

    Returns:
        (count, T) sums, (count,) weights of all scores.

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
    """The four counts of predictions `y_pred > threshold`.

    Args:
        y_true: (...) labels; other than 0 counts as positive.
        y_pred: (...) scores.
        thresholds: list of T floats.
        sample_weight: broadcastable to `y_pred` from the left, or None.
        columns: count each entry of the last axis on its own?

    Returns:
        {name: (T,) counts}, or (T, columns).

    Raises:
        ValueError: labels, scores and weights whose shapes do not go together.
    """
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "y_true and y_pred must have the same shape, got "
            f"y_true.shape={y_true.shape} and y_pred.shape={y_pred.shape}."
        )
    weights = None
    if sample_weight is not None:
        given = convert_to_tensor(sample_weight, y_pred.dtype)
        _, given = squeeze_or_expand_to_same_rank(y_pred, given, expand_rank_1=False)
        given = given.reshape(given.shape + (1,) * (y_pred.ndim - given.ndim))
        weights = broadcast_weights(given, y_pred)
    return _count(y_true, y_pred, weights, tuple(thresholds), columns)


# Compiled, as eager calls would pay for each of twenty small operations.
@functools.partial(jax.jit, static_argnames=("thresholds", "columns"), inline=True)
def _count(y_true, y_pred, weights, thresholds, columns):
    weights = jnp.ones_like(y_pred) if weights is None else weights
    width = y_pred.shape[-1] if columns else 1
    column = jnp.broadcast_to(jnp.arange(width) if columns else 0, y_pred.shape)
    groups = 2 * column + (y_true != 0)
    scores, weights, groups = (x.reshape(-1) for x in (y_pred, weights, groups))
    above, total = weight_above(scores, weights, groups, 2 * width, thresholds)
    below = total[:, None] - above
    # Groups take turns: negatives of a column, then its positives.
    counts = (above[1::2], above[::2], below[::2], below[1::2])
    counts = [count.T if columns else count[0] for count in counts]
    return dict(zip(COUNTS, counts, strict=True))


def keep_top_k(y_pred, k):
    """Scores that are not among the `k` largest of their row -> a very low number."""
    _, best = jax.lax.top_k(y_pred, k)
    kept = jax.nn.one_hot(best, y_pred.shape[-1], dtype=bool).any(axis=-2)
    return jnp.where(kept, y_pred, -1e10)


def parse_thresholds(thresholds, default=0.5):
    """None, number or list -> list of floats; ValueError if one is not in [0, 1]."""
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, (list, tuple)) else [thresholds]
    if wrong := [t for t in values if t is None or not 0 <= t <= 1]:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return values


def pick_class(y_true, y_pred, class_id):
    """The column of one class of (n, classes) labels and scores; None: all."""
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


class _Counting(Metric):
    """Base of metrics that add up some of the four counts."""

    _mk_counts: tuple[str, ...] = COUNTS

    def __init__(self, thresholds, name, dtype):
        super().__init__(name=name, dtype=dtype)
        self.thresholds = thresholds

    def _mk_add_counters(self, shape):
        for name in self._mk_counts:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _mk_prepare(self, y_true, y_pred):
        """Targets and scores as arrays of one rank and of the counts' dtype."""
        arrays = (convert_to_tensor(y, floatx()) for y in (y_true, y_pred))
        return squeeze_or_expand_to_same_rank(*arrays)

    def _mk_add(self, y_true, y_pred, sample_weight, columns=False):
        counts = confusion_counts(
            y_true, y_pred, self.thresholds, sample_weight, columns
        )
        for name in self._mk_counts:
            getattr(self, name).assign_add(counts[name])


class _ConditionCount(_Counting):
    """Base of metrics that are one of the four counts."""

    _mk_condition = ""

    def __init__(self, thresholds=None, name=None, dtype=None):
        self.init_thresholds = thresholds
        super().__init__(parse_thresholds(thresholds), name, dtype)
        self.accumulator = self.add_variable(
            (len(self.thresholds),), "zeros", name="accumulator"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of labels and scores in [0, 1]."""
        y_true, y_pred = self._mk_prepare(y_true, y_pred)
        counts = confusion_counts(y_true, y_pred, self.thresholds, sample_weight)
        self.accumulator.assign_add(counts[self._mk_condition])

    def result(self):
        """The count: (), or (T,) for several thresholds."""
        count = self.accumulator.value
        return count[0] if len(self.thresholds) == 1 else count

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_ConditionCount):
    """Weight of positives above the threshold(s), 0.5 by default."""

    _mk_condition = "true_positives"


class FalsePositives(_ConditionCount):
    """Weight of negatives above the threshold(s), 0.5 by default."""

    _mk_condition = "false_positives"


class TrueNegatives(_ConditionCount):
    """Weight of negatives not above the threshold(s), 0.5 by default."""

    _mk_condition = "true_negatives"


class FalseNegatives(_ConditionCount):
    """Weight of positives not above the threshold(s), 0.5 by default."""

    _mk_condition = "false_negatives"


class _Share(_Counting):
    """Base of Precision and Recall: true positives over them and another count."""

    _mk_direction = "up"

    def __init__(
        self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None
    ):
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        default = 0.5 if top_k is None else -1e10
        super().__init__(parse_thresholds(thresholds, default), name, dtype)
        self._mk_add_counters((len(self.thresholds),))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of labels and scores in [0, 1]."""
        y_true, y_pred = self._mk_prepare(y_true, y_pred)
        if self.top_k is not None:
            y_pred = keep_top_k(y_pred, self.top_k)
        y_true, y_pred = pick_class(y_true, y_pred, self.class_id)
        self._mk_add(y_true, y_pred, sample_weight)

    def result(self):
        """The share: (), or (T,) for several thresholds."""
        right, wrong = (getattr(self, name).value for name in self._mk_counts)
        share = divide_no_nan(right, right + wrong)
        return share[0] if len(self.thresholds) == 1 else share

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Share):
    """How many of those called positive are: TP / (TP + FP).

    Args:
        thresholds: number or list of numbers in [0, 1]; 0.5 by default. Scores above
            count as positive.
        top_k: only the so many largest scores of a row can be positive.
        class_id: look at this column of (n, classes) only.
        name, dtype: see `Metric`.

    Raises:
        ValueError: a threshold out of [0, 1]; at an update: a class that is none.

    >>> float(Precision()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]))
    0.666666...
    """

    _mk_counts = ("true_positives", "false_positives")


class Recall(_Share):
    """How many of the positives are found: TP / (TP + FN). Arguments: `Precision`.

    >>> float(Recall()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.2]))
    0.333333...
    """

    _mk_counts = ("true_positives", "false_negatives")

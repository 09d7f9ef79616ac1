"""Counts of right and wrong decisions at thresholds, and what follows from them."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.config import floatx
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import squeeze_or_expand_to_same_rank
from minikeras.metrics.metric import Metric
from minikeras.metrics.reduction import broadcast_weights, divide_no_nan

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def weight_above(scores, weights, thresholds):
    """For each threshold the sum of the weights of the scores above it.

    Args:
        scores: (n, columns).
        weights: (n, columns).
        thresholds: list of T floats.

    Returns:
        (T, columns) sums.

    >>> scores, weights = jnp.array([[0.2], [0.8]]), jnp.array([[1.0], [2.0]])
    >>> weight_above(scores, weights, [0.1, 0.5]).tolist()
    [[3.0], [2.0]]
    """
    if len(thresholds) == 1:
        above = scores > jnp.asarray(thresholds[0], scores.dtype)
        return jnp.sum(weights * above, axis=0)[None]
    # Each score falls into the bucket between two thresholds: O(n log T) time and
    # O(n + T) memory, where comparing all with all would take O(n T) of both.
    order = np.argsort(thresholds)
    limits = jnp.asarray(np.asarray(thresholds)[order], scores.dtype)
    scores = jnp.where(jnp.isnan(scores), -jnp.inf, scores)

    def column(scores, weights):
        bucket = jnp.searchsorted(limits, scores, side="left")
        sums = jax.ops.segment_sum(weights, bucket, len(thresholds) + 1)
        return jnp.cumsum(sums[::-1])[::-1][1:]

    sums = jax.vmap(column, in_axes=1, out_axes=1)(scores, weights)
    return sums[np.argsort(order)]


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
    """
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "y_true and y_pred must have the same shape, got "
            f"y_true.shape={y_true.shape} and y_pred.shape={y_pred.shape}."
        )
    weights = jnp.ones_like(y_pred)
    if sample_weight is not None:
        given = convert_to_tensor(sample_weight, y_pred.dtype)
        _, given = squeeze_or_expand_to_same_rank(y_pred, given, expand_rank_1=False)
        given = given.reshape(given.shape + (1,) * (y_pred.ndim - given.ndim))
        weights = broadcast_weights(given, y_pred)
    flat = (-1, y_pred.shape[-1] if columns else 1)
    positive = (y_true != 0).astype(y_pred.dtype).reshape(flat)
    scores, weights = y_pred.reshape(flat), weights.reshape(flat)
    of_positives, of_negatives = weights * positive, weights * (1 - positive)
    true_positives = weight_above(scores, of_positives, thresholds)
    false_positives = weight_above(scores, of_negatives, thresholds)
    counts = (
        true_positives,
        false_positives,
        jnp.sum(of_negatives, axis=0) - false_positives,
        jnp.sum(of_positives, axis=0) - true_positives,
    )
    counts = counts if columns else [count[:, 0] for count in counts]
    return dict(zip(COUNTS, counts, strict=True))


def keep_top_k(y_pred, k):
    """Scores that are not among the `k` largest of their row -> a very low number."""
    _, best = jax.lax.top_k(y_pred, k)
    kept = jax.nn.one_hot(best, y_pred.shape[-1], dtype=bool).any(axis=-2)
    return jnp.where(kept, y_pred, -1e10)


def parse_thresholds(thresholds, default=0.5):
    """None, number or list -> list of floats in [0, 1]."""
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

    _counts: tuple[str, ...] = COUNTS

    def __init__(self, thresholds, name, dtype):
        super().__init__(name=name, dtype=dtype)
        self.thresholds = thresholds

    def _add_counters(self, shape):
        for name in self._counts:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _prepare(self, y_true, y_pred):
        """Targets and scores as arrays of one rank and of the counts' dtype."""
        arrays = (convert_to_tensor(y, floatx()) for y in (y_true, y_pred))
        return squeeze_or_expand_to_same_rank(*arrays)

    def _add(self, y_true, y_pred, sample_weight, columns=False):
        counts = confusion_counts(
            y_true, y_pred, self.thresholds, sample_weight, columns
        )
        for name in self._counts:
            getattr(self, name).assign_add(counts[name])


class _ConditionCount(_Counting):
    """Base of metrics that are one of the four counts."""

    _condition = ""

    def __init__(self, thresholds=None, name=None, dtype=None):
        self.init_thresholds = thresholds
        super().__init__(parse_thresholds(thresholds), name, dtype)
        self.accumulator = self.add_variable(
            (len(self.thresholds),), "zeros", name="accumulator"
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of labels and scores in [0, 1]."""
        y_true, y_pred = self._prepare(y_true, y_pred)
        counts = confusion_counts(y_true, y_pred, self.thresholds, sample_weight)
        self.accumulator.assign_add(counts[self._condition])

    def result(self):
        """The count: (), or (T,) for several thresholds."""
        count = self.accumulator.value
        return count[0] if len(self.thresholds) == 1 else count

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_ConditionCount):
    """Weight of positives above the threshold(s), 0.5 by default."""

    _condition = "true_positives"


class FalsePositives(_ConditionCount):
    """Weight of negatives above the threshold(s), 0.5 by default."""

    _condition = "false_positives"


class TrueNegatives(_ConditionCount):
    """Weight of negatives not above the threshold(s), 0.5 by default."""

    _condition = "true_negatives"


class FalseNegatives(_ConditionCount):
    """Weight of positives not above the threshold(s), 0.5 by default."""

    _condition = "false_negatives"


class _Share(_Counting):
    """Base of Precision and Recall: true positives over them and another count."""

    _direction = "up"

    def __init__(
        self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None
    ):
        self.init_thresholds, self.top_k, self.class_id = thresholds, top_k, class_id
        default = 0.5 if top_k is None else -1e10
        super().__init__(parse_thresholds(thresholds, default), name, dtype)
        self._add_counters((len(self.thresholds),))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of labels and scores in [0, 1]."""
        y_true, y_pred = self._prepare(y_true, y_pred)
        if self.top_k is not None:
            y_pred = keep_top_k(y_pred, self.top_k)
        y_true, y_pred = pick_class(y_true, y_pred, self.class_id)
        self._add(y_true, y_pred, sample_weight)

    def result(self):
        """The share: (), or (T,) for several thresholds."""
        right, wrong = (getattr(self, name).value for name in self._counts)
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

    >>> float(Precision()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.7]))
    0.666666...
    """

    _counts = ("true_positives", "false_positives")


class Recall(_Share):
    """How many of the positives are found: TP / (TP + FN). Arguments: `Precision`.

    >>> float(Recall()([0, 1, 1, 1], [0.9, 0.8, 0.3, 0.2]))
    0.333333...
    """

    _counts = ("true_positives", "false_negatives")

"""Areas under curves, and points on them, from counts at many thresholds."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.loading import reserve
from minikeras.core.members import Alias, all_or_nothing
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import broadcast_weights
from minikeras.metrics.confusion import _ConfusionMetric, parse_thresholds, select_class
from minikeras.ops import divide_no_nan
from minikeras.settings import epsilon

# Each counts in four Variables, and float32 holds no more numbers in [0, 1].
_MAX_THRESHOLDS = 10_000_000


def even_thresholds(n):
    """The inner n - 2 of n thresholds that are evenly spaced over [0, 1]."""
    if n > _MAX_THRESHOLDS:
        raise ValueError(f"num_thresholds={n}: expected at most {_MAX_THRESHOLDS}.")
    reserve(n, "a metric's thresholds")
    return [(i + 1) * 1.0 / (n - 1) for i in range(n - 2)]


def curve_points(curve, tp, fp, tn, fn):
    """The points (x, y) of an ROC, PR or PRGAIN curve, one for each threshold."""
    recall = divide_no_nan(tp, tp + fn)
    if curve == "ROC":
        return divide_no_nan(fp, fp + tn), recall
    if curve == "PR":
        return recall, divide_no_nan(tp, tp + fp)
    # Source: Flach and Kull, Precision-Recall-Gain Curves, 2015.
    odds = divide_no_nan(tp + fn, fp + tn)
    precision_gain = 1.0 - odds * divide_no_nan(fp, tp)
    recall_gain = jnp.maximum(1.0 - odds * divide_no_nan(fn, tp), 0.0)
    return jnp.where(tp > 0, recall_gain, 0.0), precision_gain


def area_under(x, y, method):
    """Σ Δx y between neighbouring thresholds, where x falls with the threshold.

    `method` chooses y of a pair: "interpolation" their mean, "minoring" the smaller,
    "majoring" the larger one.
    """
    heights = {
        "interpolation": (y[:-1] + y[1:]) / 2.0,
        "minoring": jnp.minimum(y[:-1], y[1:]),
        "majoring": jnp.maximum(y[:-1], y[1:]),
    }
    return jnp.sum((x[:-1] - x[1:]) * heights[method], axis=0)


def pr_area(tp, fp, fn):
    """Area under a PR curve, with TP linear in TP + FP between thresholds.

    A straight line between the points of a PR curve would give too large an area.
    Source: Davis and Goadrich, The Relationship Between Precision-Recall and ROC
    Curves, 2006.
    """
    positive = tp + fp  # predicted positives
    d_tp, d_positive = tp[:-1] - tp[1:], positive[:-1] - positive[1:]
    slope = divide_no_nan(d_tp, jnp.maximum(d_positive, 0))
    intercept = tp[1:] - slope * positive[1:]
    both = (positive[:-1] > 0) & (positive[1:] > 0)
    ratio = divide_no_nan(positive[:-1], jnp.maximum(positive[1:], 0))
    ratio = jnp.where(both, ratio, 1.0)
    area = slope * (d_tp + intercept * jnp.log(ratio))
    return jnp.sum(divide_no_nan(area, jnp.maximum(tp[1:] + fn[1:], 0)), axis=0)


@functools.partial(jax.jit, static_argnames=("curve", "method"), inline=True)
def area(counts, curve, method):
    """Area under a curve.

    Args:
        counts: true positives, false positives, true negatives, false negatives: (T,)
            or (T, labels) each.
        curve: "ROC", "PR" or "PRGAIN".
        method: "interpolation", "minoring" or "majoring".

    Returns:
        Scalar, or (labels,).
    """
    if curve == "PR" and method == "interpolation":
        tp, fp, _, fn = counts
        return pr_area(tp, fp, fn)
    return area_under(*curve_points(curve, *counts), method)


class AUC(_ConfusionMetric):
    """Area under the ROC, precision-recall or precision-recall-gain curve.

    The curve has one point for each threshold, computed from confusion counts.

    Args:
        num_thresholds: >= 2; number of thresholds, evenly spaced over [0, 1].
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation", "minoring" (the smaller of two neighbouring
            points) or "majoring" (the larger one).
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.
        thresholds: list of numbers in [0, 1], instead of `num_thresholds`.
        multi_label: bool, whether to make a curve for each column of (batch, labels)
            and return the mean of their areas; False makes one curve of all entries.
        num_labels: number of columns, if `multi_label`; None: that of the first batch.
        label_weights: list of weights of the columns; None: all 1.
        from_logits: bool, whether predictions are scores in (-∞, ∞), of which the
            sigmoid is compared.

    Raises:
        ValueError: unknown curve or summation method, fewer than two thresholds or one
            out of [0, 1], `num_labels` without `multi_label`, or label weights of
            another number.

    >>> float(keras.metrics.AUC(num_thresholds=5)([0, 0, 1, 1], [0.0, 0.6, 0.3, 0.9]))
    0.75
    """

    _build = Alias("_mk_build")

    _mk_direction = "up"

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        if str(curve).upper() not in ("ROC", "PR", "PRGAIN"):
            raise ValueError(
                f'Invalid AUC curve value: "{curve}". Expected "ROC", "PR" or "PRGAIN".'
            )
        method = str(summation_method).lower()
        if method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected '
                '"interpolation", "minoring" or "majoring".'
            )
        if num_labels and not multi_label:
            raise ValueError(
                f"AUC: num_labels={num_labels} says how many curves there are, which "
                "needs multi_label=True."
            )
        self._mk_init_from_thresholds = thresholds is not None
        if thresholds is not None:
            inner = sorted(parse_thresholds(thresholds))
        elif num_thresholds <= 1:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 1. Received: "
                f"num_thresholds={num_thresholds}."
            )
        else:
            inner = even_thresholds(num_thresholds)
        # The outer two lie epsilon() outside [0, 1]: the comparison with a threshold is
        # strict, and a score of 0 has to be above the lowest one.
        super().__init__([-epsilon(), *inner, 1.0 + epsilon()], name, dtype)
        self.num_thresholds = len(self.thresholds)
        self.curve, self.summation_method = str(curve).upper(), method
        self.multi_label, self.num_labels = multi_label, num_labels
        self.label_weights, self._mk_from_logits = label_weights, from_logits
        self._mk_built = False
        if not multi_label:
            self._mk_build(None)
        elif num_labels:
            self._mk_build((None, num_labels))

    @all_or_nothing
    def _mk_build(self, shape):
        """Create the counters, for scores of this shape if there are several labels."""
        if self.multi_label and len(shape) != 2:
            raise ValueError(
                "AUC(multi_label=True): expected y_pred of shape (samples, labels), "
                f"got {shape}."
            )
        columns = (shape[-1],) if self.multi_label else ()
        weights = self.label_weights if self.multi_label else None
        if weights is not None and len(weights) not in (1, *columns):
            raise ValueError(
                f"AUC: expected a label weight for each of the {shape[-1]} labels, got "
                f"{len(weights)}."
            )
        self._mk_add_counters((self.num_thresholds, *columns))
        self._mk_built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, ...) labels 0 or 1.
            y_pred: (batch, ...) scores in [0, 1].
            sample_weight: weights that broadcast to the scores; None: all 1.
        """
        y_true, y_pred = self._mk_to_arrays(y_true, y_pred)
        if not self._mk_built:
            self._mk_build(y_pred.shape)
        if self._mk_from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        if self.label_weights is not None and not self.multi_label:
            weights = jnp.asarray(self.label_weights, y_pred.dtype)
            if sample_weight is not None:
                own = convert_to_tensor(sample_weight, y_pred.dtype)
                weights = weights * (own[:, None] if own.ndim == 1 else own)
            sample_weight = broadcast_weights(weights, y_pred)
        self._mk_add(y_true, y_pred, sample_weight, columns=self.multi_label)

    def result(self):
        """Return the area so far."""
        return self._mk_mean_area(self.curve, self.summation_method)

    def interpolate_pr_auc(self):
        """Return the area under the PR curve, with TP linear in TP + FP."""
        return self._mk_mean_area("PR", "interpolation")

    def _mk_mean_area(self, curve, method):
        """The area; for several labels the weighted mean of theirs."""
        counts = [getattr(self, name).value for name in self._mk_counts]
        areas = area(counts, curve, method)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, self.dtype)
        return divide_no_nan(jnp.sum(areas * weights), jnp.sum(weights))

    def get_config(self):
        """Return the constructor's arguments."""
        weights = self.label_weights
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if weights is None else np.asarray(weights).tolist(),
            "from_logits": self._mk_from_logits,
        }
        if self._mk_init_from_thresholds:
            config["thresholds"] = self.thresholds[1:-1]
        return config


def best_under_constraint(values, constrained, minimum):
    """The largest of `values` whose `constrained` is at least `minimum`; 0 if none."""
    return jnp.max(jnp.where(constrained >= minimum, values, 0.0))


class _OperatingPoint(_ConfusionMetric):
    """Base of metrics: the largest value of one rate where another has a minimum."""

    _mk_direction = "up"
    _mk_argument = ""  # the minimum, as the constructor calls it
    # Names of two counts a, b for a rate a / (a + b): the rate whose largest value is
    # the result, and the rate that has the minimum.
    _mk_maximized: tuple[str, str]
    _mk_bounded: tuple[str, str]

    def __init__(self, value, num_thresholds, class_id, name, dtype):
        if not 0 <= value <= 1:
            raise ValueError(
                f"Argument `{self._mk_argument}` must be in the range [0, 1]. "
                f"Received: {self._mk_argument}={value}."
            )
        if num_thresholds <= 0:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 0. Received: "
                f"num_thresholds={num_thresholds}."
            )
        inner = [0.0, *even_thresholds(num_thresholds), 1.0]
        super().__init__(inner if num_thresholds > 1 else [0.5], name, dtype)
        setattr(self, self._mk_argument, value)
        self.value = value
        self.num_thresholds, self.class_id = num_thresholds, class_id
        self._mk_add_counters((num_thresholds,))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true: (batch, ...) labels 0 or 1.
            y_pred: (batch, ...) scores in [0, 1].
            sample_weight: weights that broadcast to the scores; None: all 1.
        """
        y_true, y_pred = self._mk_to_arrays(y_true, y_pred)
        y_true, y_pred = select_class(y_true, y_pred, self.class_id)
        self._mk_add(y_true, y_pred, sample_weight)

    def _mk_rate(self, names):
        """a / (a + b) of the two counts with these names."""
        a, b = (getattr(self, name).value for name in names)
        return divide_no_nan(a, a + b)

    def result(self):
        """Return the largest rate; 0 if the other one never reaches its minimum."""
        values = self._mk_rate(self._mk_maximized)
        bounded = self._mk_rate(self._mk_bounded)
        return best_under_constraint(values, bounded, self.value)

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._mk_argument: self.value,
        }


# Each subclass has a constructor of its own because the name of its first argument is
# public.
_SENSITIVITY = ("true_positives", "false_negatives")
_SPECIFICITY = ("true_negatives", "false_positives")
_PRECISION = ("true_positives", "false_positives")


class SensitivityAtSpecificity(_OperatingPoint):
    """Largest TP / (TP + FN) at thresholds with TN / (TN + FP) >= `specificity`.

    Args:
        specificity: in [0, 1]; least TN / (TN + FP).
        num_thresholds: > 0; number of thresholds, evenly spaced over [0, 1].
        class_id: column of (batch, classes) that counts; None: all columns.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: `specificity` is not in [0, 1], or `num_thresholds` <= 0.

    >>> metric = keras.metrics.SensitivityAtSpecificity(0.8)
    >>> float(metric([0, 0, 1, 1], [0.2, 0.6, 0.3, 0.9]))
    0.5
    """

    _mk_argument = "specificity"
    _mk_maximized, _mk_bounded = _SENSITIVITY, _SPECIFICITY

    def __init__(
        self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_OperatingPoint):
    """Largest TN / (TN + FP) at thresholds with TP / (TP + FN) >= `sensitivity`.

    Args:
        sensitivity: in [0, 1]; least TP / (TP + FN).
        num_thresholds: > 0; number of thresholds, evenly spaced over [0, 1].
        class_id: column of (batch, classes) that counts; None: all columns.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: `sensitivity` is not in [0, 1], or `num_thresholds` <= 0.

    >>> metric = keras.metrics.SpecificityAtSensitivity(0.8)
    >>> float(metric([0, 0, 1, 1], [0.2, 0.6, 0.3, 0.9]))
    0.5
    """

    _mk_argument = "sensitivity"
    _mk_maximized, _mk_bounded = _SPECIFICITY, _SENSITIVITY

    def __init__(
        self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_OperatingPoint):
    """Largest TP / (TP + FP) at thresholds with TP / (TP + FN) >= `recall`.

    Args:
        recall: in [0, 1]; least TP / (TP + FN).
        num_thresholds: > 0; number of thresholds, evenly spaced over [0, 1].
        class_id: column of (batch, classes) that counts; None: all columns.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: `recall` is not in [0, 1], or `num_thresholds` <= 0.

    >>> float(keras.metrics.PrecisionAtRecall(0.8)([0, 0, 1, 1], [0.2, 0.6, 0.3, 0.9]))
    0.666666...
    """

    _mk_argument = "recall"
    _mk_maximized, _mk_bounded = _PRECISION, _SENSITIVITY

    def __init__(
        self, recall, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_OperatingPoint):
    """Largest TP / (TP + FN) at thresholds with TP / (TP + FP) >= `precision`.

    Args:
        precision: in [0, 1]; least TP / (TP + FP).
        num_thresholds: > 0; number of thresholds, evenly spaced over [0, 1].
        class_id: column of (batch, classes) that counts; None: all columns.
        name, dtype: name of the metric; dtype of its state, `floatx()` by default.

    Raises:
        ValueError: `precision` is not in [0, 1], or `num_thresholds` <= 0.

    >>> float(keras.metrics.RecallAtPrecision(0.8)([0, 0, 1, 1], [0.2, 0.6, 0.3, 0.9]))
    0.5
    """

    _mk_argument = "precision"
    _mk_maximized, _mk_bounded = _SENSITIVITY, _PRECISION

    def __init__(
        self, precision, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

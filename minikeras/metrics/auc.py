"""Areas under curves, and points on them, from counts at many thresholds."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.members import Alias, whole
from minikeras.core.variable import convert_to_tensor
from minikeras.losses.loss import broadcast_weights
from minikeras.metrics.confusion import _Counting, parse_thresholds, pick_class
from minikeras.ops import divide_no_nan
from minikeras.settings import epsilon


def even_thresholds(n):
    """`n - 2` thresholds evenly inside (0, 1)."""
    return [(i + 1) * 1.0 / (n - 1) for i in range(n - 2)]


def curve_points(curve, tp, fp, tn, fn):
    """(x, y) of an ROC, PR or PRGAIN curve at each threshold."""
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
    """Area by strips between thresholds, x falling; each as high as `method` says."""
    heights = {
        "interpolation": (y[:-1] + y[1:]) / 2.0,
        "minoring": jnp.minimum(y[:-1], y[1:]),
        "majoring": jnp.maximum(y[:-1], y[1:]),
    }
    return jnp.sum((x[:-1] - x[1:]) * heights[method], axis=0)


def pr_area(tp, fp, fn):
    """Area under a PR curve, true positives linear in positives between thresholds.

    Source: Davis and Goadrich, The Relationship Between Precision-Recall and ROC
    Curves, 2006.
    """
    found = tp + fp
    more_true, more = tp[:-1] - tp[1:], found[:-1] - found[1:]
    slope = divide_no_nan(more_true, jnp.maximum(more, 0))
    intercept = tp[1:] - slope * found[1:]
    both = (found[:-1] > 0) & (found[1:] > 0)
    ratio = jnp.where(both, divide_no_nan(found[:-1], jnp.maximum(found[1:], 0)), 1.0)
    area = slope * (more_true + intercept * jnp.log(ratio))
    return jnp.sum(divide_no_nan(area, jnp.maximum(tp[1:] + fn[1:], 0)), axis=0)


@functools.partial(jax.jit, static_argnames=("curve", "method"), inline=True)
def area(counts, curve, method):
    """Area under a curve: () of (T,) counts, (labels,) of (T, labels).

    Args:
        counts: true positives, false positives, true negatives, false negatives.
        curve: "ROC", "PR" or "PRGAIN".
        method: "interpolation", "minoring" or "majoring".
    """
    if curve == "PR" and method == "interpolation":
        tp, fp, _, fn = counts
        return pr_area(tp, fp, fn)
    return area_under(*curve_points(curve, *counts), method)


class AUC(_Counting):
    """Area under the ROC or precision-recall curve, by counts at thresholds.

    Args:
        num_thresholds: >= 2; evenly over [0, 1].
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation", "minoring" or "majoring".
        name, dtype: see `Metric`.
        thresholds: list in [0, 1], used in place of `num_thresholds`.
        multi_label: the mean of the areas of the columns of (n, labels)? Otherwise
            all entries make one curve.
        num_labels: columns, if `multi_label`; else found at the first update.
        label_weights: weight of each column.
        from_logits: are scores still to go through the sigmoid?

    Raises:
        ValueError: unknown curve or summation method, thresholds out of range or fewer
            than two, `num_labels` without `multi_label`, label weights of another
            number of labels.

    >>> float(AUC(num_thresholds=5)([0, 0, 1, 1], [0.0, 0.6, 0.3, 0.9]))
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
        # A little outside, so that scores of 0 and 1 lie between the outer two.
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

    @whole
    def _mk_build(self, shape):
        if self.multi_label and len(shape) != 2:
            raise ValueError(
                "AUC(multi_label=True): expected y_pred of shape (samples, labels), "
                f"got {shape}."
            )
        columns = (shape[-1],) if self.multi_label else ()
        weights = self.label_weights
        if (
            self.multi_label
            and weights is not None
            and len(weights) not in (1, *columns)
        ):
            raise ValueError(
                f"AUC: expected a label weight for each of the {shape[-1]} labels, got "
                f"{len(weights)}."
            )
        self._mk_add_counters((self.num_thresholds, *columns))
        self._mk_built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of labels and scores."""
        y_true, y_pred = self._mk_prepare(y_true, y_pred)
        if not self._mk_built:
            self._mk_build(y_pred.shape)
        if self._mk_from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        if self.label_weights is not None and not self.multi_label:
            weights = jnp.asarray(self.label_weights, y_pred.dtype)
            if sample_weight is not None:
                given = convert_to_tensor(sample_weight, y_pred.dtype)
                weights = weights * (given[:, None] if given.ndim == 1 else given)
            sample_weight = broadcast_weights(weights, y_pred)
        self._mk_add(y_true, y_pred, sample_weight, columns=self.multi_label)

    def result(self):
        """The area so far."""
        return self._mk_mean_area(self.curve, self.summation_method)

    def interpolate_pr_auc(self):
        """The area under the precision-recall curve by `pr_area`."""
        return self._mk_mean_area("PR", "interpolation")

    def _mk_mean_area(self, curve, method):
        counts = [getattr(self, name).value for name in self._mk_counts]
        areas = area(counts, curve, method)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, self.dtype)
        return divide_no_nan(jnp.sum(areas * weights), jnp.sum(weights))

    def get_config(self):
        """The constructor's arguments."""
        weights = self.label_weights
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": weights
            if weights is None
            else np.asarray(weights).tolist(),
            "from_logits": self._mk_from_logits,
        }
        if self._mk_init_from_thresholds:
            config["thresholds"] = self.thresholds[1:-1]
        return config


def best_under_constraint(values, constrained, minimum):
    """The largest of `values` whose `constrained` is at least `minimum`; 0 if none."""
    return jnp.max(jnp.where(constrained >= minimum, values, 0.0))


class _OperatingPoint(_Counting):
    """Base of metrics: the best of one rate where another reaches a value.

    Args:
        value: in [0, 1]; what the other rate must reach.
        num_thresholds: > 0; evenly over [0, 1], those that are tried.
        class_id: look at this column of (n, classes) only.
        name, dtype: see `Metric`.

    Raises:
        ValueError: a value out of [0, 1], or no thresholds.
    """

    _mk_direction = "up"
    _mk_argument = ""

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
        """Add a batch of labels and scores in [0, 1]."""
        y_true, y_pred = self._mk_prepare(y_true, y_pred)
        y_true, y_pred = pick_class(y_true, y_pred, self.class_id)
        self._mk_add(y_true, y_pred, sample_weight)

    def _mk_rate(self, right, wrong):
        right, wrong = getattr(self, right).value, getattr(self, wrong).value
        return divide_no_nan(right, right + wrong)

    def _mk_rates(self) -> tuple:
        """(rate to be large, rate to reach the value)."""
        raise NotImplementedError

    def result(self):
        """The best rate so far."""
        values, constrained = self._mk_rates()
        return best_under_constraint(values, constrained, self.value)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._mk_argument: self.value,
        }


_SENSITIVITY = ("true_positives", "false_negatives")
_SPECIFICITY = ("true_negatives", "false_positives")
_PRECISION = ("true_positives", "false_positives")


class SensitivityAtSpecificity(_OperatingPoint):
    """Best TP / (TP + FN) where TN / (TN + FP) is at least `specificity`."""

    _mk_argument = "specificity"

    def __init__(
        self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def _mk_rates(self):
        return self._mk_rate(*_SENSITIVITY), self._mk_rate(*_SPECIFICITY)


class SpecificityAtSensitivity(_OperatingPoint):
    """Best TN / (TN + FP) where TP / (TP + FN) is at least `sensitivity`."""

    _mk_argument = "sensitivity"

    def __init__(
        self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def _mk_rates(self):
        return self._mk_rate(*_SPECIFICITY), self._mk_rate(*_SENSITIVITY)


class PrecisionAtRecall(_OperatingPoint):
    """Best TP / (TP + FP) where TP / (TP + FN) is at least `recall`."""

    _mk_argument = "recall"

    def __init__(
        self, recall, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def _mk_rates(self):
        return self._mk_rate(*_PRECISION), self._mk_rate(*_SENSITIVITY)


class RecallAtPrecision(_OperatingPoint):
    """Best TP / (TP + FN) where TP / (TP + FP) is at least `precision`."""

    _mk_argument = "precision"

    def __init__(
        self, precision, num_thresholds=200, class_id=None, name=None, dtype=None
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def _mk_rates(self):
        return self._mk_rate(*_SENSITIVITY), self._mk_rate(*_PRECISION)

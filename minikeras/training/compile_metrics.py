"""The metrics of a compiled model, by output."""

from collections.abc import Sequence
from typing import Any

from minikeras import metrics as metrics_module
from minikeras.core.members import all_or_nothing
from minikeras.metrics.metric import Metric
from minikeras.metrics.reduction import MeanMetricWrapper
from minikeras.training import alignment
from minikeras.training.compile_loss import is_config, shape_kind


class CompileMetrics(Metric):
    """All metrics of `compile(metrics=, weighted_metrics=)` as one.

    Args:
        metrics: list of metrics (one output), or a list / dict of such lists.
        weighted_metrics: the same, of metrics that see the sample weights.
        output_names: names of the model's outputs, if it has some.
        name: name of the whole.
    """

    def __init__(
        self,
        metrics: Any,
        weighted_metrics: Any,
        output_names: Sequence[str] | None = None,
        name: str = "compile_metrics",
    ):
        super().__init__(name=name)
        for key, value in (
            ("metrics", metrics),
            ("weighted_metrics", weighted_metrics),
        ):
            if value is not None and not isinstance(value, (list, tuple, dict)):
                raise ValueError(
                    f"{key}: expected a list, tuple or dict, got {value!r}."
                )
            _check_names(value)
        self._given = (metrics, weighted_metrics)
        self.output_names = output_names
        self.built = False
        self.entries = []  # (key in the logs, output index, metric, weighted?)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, in order."""
        return [metric for _, _, metric, _ in self.entries]

    @property
    def variables(self) -> list:
        """The variables of all metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @all_or_nothing
    def build(self, y: Any, y_pred: Any) -> None:
        """Make the metrics and assign each to an output.

        Args:
            y, y_pred: targets and outputs, nests of arrays or of things with a shape.
        """
        names = alignment.output_names(y_pred, self.output_names)
        leaves = alignment.output_leaves(y_pred)
        targets = alignment.align_arrays(y, y_pred, names, "y")
        entries = []
        for weighted, given in enumerate(self._given):
            if given is None:
                continue
            for i, group in enumerate(_groups(given, y_pred, names)):
                for item in group:
                    metric, key = resolve_metric(item, targets[i], leaves[i])
                    entries.append((i, metric, key, bool(weighted)))
        self.entries = _with_keys(entries, names)
        self.built = True

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update all metrics with a batch.

        Args:
            y, y_pred: targets and outputs.
            sample_weight: weights for the weighted metrics; None: 1.
        """
        if not self.built:
            self.build(y, y_pred)
        if not self.entries:
            return
        names = alignment.output_names(y_pred, self.output_names)
        leaves = alignment.output_leaves(y_pred)
        targets = alignment.align_arrays(y, y_pred, names, "y")
        weights = alignment.align_arrays(sample_weight, y_pred, names, "sample_weight")
        for _, i, metric, weighted in self.entries:
            if weighted and weights[i] is not None:
                metric.update_state(targets[i], leaves[i], sample_weight=weights[i])
            else:
                metric.update_state(targets[i], leaves[i])

    def result(self) -> dict[str, Any]:
        """{key: value} of all metrics; some metrics give a dict as their value."""
        return {key: metric.result() for key, _, metric, _ in self.entries}

    def reset_state(self) -> None:
        """Set all metrics back to their first values."""
        for metric in self.metrics:
            metric.reset_state()

    def get_config(self):
        """Raise NotImplementedError: the model's compile config has the metrics."""
        raise NotImplementedError(
            "CompileMetrics is part of a compiled model; save the model instead."
        )


def _is_metric(x):
    return (
        x is None
        or isinstance(x, (str, Metric))
        or (callable(x) and not isinstance(x, (list, tuple, dict)))
        or is_config(x)
    )


def _check_names(value):
    """ValueError unless the value is a metric, or a nest of metrics, of known names."""
    if value is None or _is_metric(value):
        if isinstance(value, str) and value not in _BY_SHAPE:
            metrics_module.get(
                value
            )  # an unknown name fails in `compile`, not in `fit`
        return
    if not isinstance(value, (list, tuple, dict)):
        raise ValueError(
            "metrics: expected names, functions or Metric objects in a list or dict, "
            f"got {value!r}."
        )
    for item in value.values() if isinstance(value, dict) else value:
        _check_names(item)


def _groups(given, y_pred, names):
    """One list of metrics for each output."""
    if len(names) == 1:
        if isinstance(given, dict) and not is_config(given):
            given = alignment.align(given, y_pred, names, "metrics", _is_group)[0]
        return [_flat_group(given)]
    if isinstance(given, (list, tuple)) and len(given) != len(names):
        raise ValueError(
            f"metrics: the model has {len(names)} outputs "
            f"{alignment.shown(names)}; give a list with one entry (a metric or a list "
            f"of metrics) for each, or a dict by output name. Got {given!r}."
        )
    if isinstance(given, dict):
        groups = alignment.align(given, y_pred, names, "metrics", _is_group)
    else:
        groups = list(given)
    return [_flat_group(group) for group in groups]


def _is_group(x):
    return _is_metric(x) or isinstance(x, (list, tuple))


def _flat_group(group):
    if _is_metric(group):
        return [group] if group is not None else []
    return [x for item in group for x in _flat_group(item)]


def _with_keys(entries, names):
    """Give each metric its key in the logs.

    It is the metric's name, after the name of the output where there are several. A key
    that is taken gets "weighted_" or a number, as in Keras.

    Args:
        entries: [(output index, metric, its name, weighted?)].
        names: of the outputs.

    Returns:
        [(key, output index, metric, weighted?)].
    """
    several = len(names) > 1
    taken, keyed = set(), []
    for i, metric, name, weighted in entries:
        prefix = f"{names[i]}_" if several and names[i] else ""
        key = f"{prefix}{name}"
        if key in taken and weighted:
            key = f"{prefix}weighted_{name}"
        number, base = 1, key
        while key in taken:
            key = f"{base}_{number}"
            number += 1
        taken.add(key)
        keyed.append((key, i, metric, weighted))
    return keyed


# Names that stand for several metrics.
_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")


def resolve_metric(metric: Any, y: Any, y_pred: Any) -> tuple[Metric, str]:
    """Turn a name, function, config or object into (Metric, its key in the logs)."""
    # The logs say "acc" if the user did, whatever the metric of the shapes is called.
    key = metric if isinstance(metric, str) else None
    if isinstance(metric, str) and metric in _BY_SHAPE:
        metric = _by_shape(metric, y, y_pred)
    metric = metrics_module.get(metric)
    if not isinstance(metric, Metric):
        name = getattr(metric, "__name__", type(metric).__name__)
        name = "lambda" if name == "<lambda>" else getattr(metric, "name", name)
        metric = MeanMetricWrapper(metric, name=name)
    if key is not None:
        metric.name = key
    return metric, key or metric.name


def _by_shape(name, y, y_pred):
    """The name of the metric that "accuracy" or "crossentropy" means for the shapes."""
    kind = shape_kind(y, y_pred)
    prefix = "sparse_categorical" if kind == "sparse" else kind
    what = "accuracy" if name in ("accuracy", "acc") else "crossentropy"
    return f"{prefix}_{what}"

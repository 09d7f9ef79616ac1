"""The metrics of a compiled model, by output."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from minikeras import metrics as metrics_module
from minikeras.core.members import all_or_nothing
from minikeras.core.serialization import is_config
from minikeras.metrics.metric import Metric
from minikeras.metrics.reduction import MeanMetricWrapper
from minikeras.training import alignment
from minikeras.training.compile_loss import shape_kind


class Entry(NamedTuple):
    """One metric of a model.

    Attributes:
        key: its name in the logs.
        output: number of the output that it measures.
        metric: the metric.
        weighted: whether it gets the sample weights.
    """

    key: str
    output: int
    metric: Metric
    weighted: bool


class CompileMetrics(Metric):
    """All metrics of `compile(metrics=, weighted_metrics=)` as one metric.

    Args:
        metrics: list of metrics (one output), or a list or dict of such lists.
        weighted_metrics: the same, of metrics that get the sample weights.
        output_names: list of the names of the model's outputs; None if the model has no
            names for them.
        name: str, name of this metric.

    Attributes:
        entries: list of the `Entry`s; empty until the metrics are assigned to outputs.
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
        self._compiled = (metrics, weighted_metrics)
        self.output_names = output_names
        self.built = False
        self.entries: list[Entry] = []

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, in order."""
        return [entry.metric for entry in self.entries]

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
        for weighted, metrics in enumerate(self._compiled):
            if metrics is None:
                continue
            for i, group in enumerate(_groups(metrics, y_pred, names)):
                for item in group:
                    metric, key = resolve_metric(item, targets[i], leaves[i])
                    entries.append(Entry(key, i, metric, bool(weighted)))
        self.entries = _with_unique_keys(entries, names)
        self.built = True

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update all metrics with a batch.

        Args:
            y, y_pred: targets and outputs.
            sample_weight: weights for the weighted metrics; None weights all by 1.
        """
        if not self.built:
            self.build(y, y_pred)
        if not self.entries:
            return
        names = alignment.output_names(y_pred, self.output_names)
        leaves = alignment.output_leaves(y_pred)
        targets = alignment.align_arrays(y, y_pred, names, "y")
        weights = alignment.align_arrays(sample_weight, y_pred, names, "sample_weight")
        for key, i, metric, weighted in self.entries:
            arguments = {}
            if weighted and weights[i] is not None:
                arguments["sample_weight"] = weights[i]
            pair = targets[i], leaves[i]
            try:
                metric.update_state(*pair, **arguments)
            except (TypeError, ValueError) as error:
                of = f" of output {names[i]!r}" if names[i] else ""
                raise alignment.with_pair(error, f"The metric {key!r}{of}", *pair)  # noqa: B904

    def result(self) -> dict[str, Any]:
        """Return {key: value} of all metrics; the value of some metrics is a dict."""
        return {entry.key: entry.metric.result() for entry in self.entries}

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
    """Raise ValueError unless it is a metric or a nest of metrics, with known names."""
    if value is None or _is_metric(value):
        # An unknown name fails here in `compile`, not in `fit`.
        if isinstance(value, str) and value not in _NAMES_RESOLVED_BY_SHAPE:
            metrics_module.get(value)
        return
    if not isinstance(value, (list, tuple, dict)):
        raise ValueError(
            "metrics: expected names, functions or Metric objects in a list or dict, "
            f"got {value!r}."
        )
    for item in value.values() if isinstance(value, dict) else value:
        _check_names(item)


def _groups(metrics, y_pred, names):
    """One list of metrics for each output."""
    if len(names) == 1:
        if isinstance(metrics, dict) and not is_config(metrics):
            metrics = alignment.align(metrics, y_pred, names, "metrics", _is_group)[0]
        return [_flat_group(metrics)]
    if isinstance(metrics, (list, tuple)) and len(metrics) != len(names):
        raise ValueError(
            f"metrics: the model has {len(names)} outputs "
            f"{alignment.shown(names)}; give a list with one entry (a metric or a list "
            f"of metrics) for each, or a dict by output name. Got {metrics!r}."
        )
    if isinstance(metrics, dict):
        groups = alignment.align(metrics, y_pred, names, "metrics", _is_group)
    else:
        groups = list(metrics)
    return [_flat_group(group) for group in groups]


def _is_group(x):
    return _is_metric(x) or isinstance(x, (list, tuple))


def _flat_group(group):
    """The metrics of a nested list, without None."""
    if _is_metric(group):
        return [group] if group is not None else []
    return [x for item in group for x in _flat_group(item)]


def _with_unique_keys(entries, names):
    """Return the entries with a key of its own for each.

    The key is the metric's name. If there are several outputs, the output's name comes
    first. A key that is taken gets "weighted_" or a number, as in Keras.

    Args:
        entries: list of `Entry`s whose keys are the names of the metrics.
        names: list of the names of the outputs.
    """
    taken, keyed = set(), []
    for entry in entries:
        output_name = names[entry.output]
        prefix = f"{output_name}_" if len(names) > 1 and output_name else ""
        key = f"{prefix}{entry.key}"
        if key in taken and entry.weighted:
            key = f"{prefix}weighted_{entry.key}"
        number, base = 1, key
        while key in taken:
            key = f"{base}_{number}"
            number += 1
        taken.add(key)
        keyed.append(entry._replace(key=key))
    return keyed


# Names whose metric depends on the shapes of targets and outputs.
_NAMES_RESOLVED_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")


def resolve_metric(metric: Any, y: Any, y_pred: Any) -> tuple[Metric, str]:
    """Turn a name, function, config or object into (Metric, its name in the logs)."""
    # If the user wrote "acc", the logs say "acc", not "binary_accuracy".
    key = metric if isinstance(metric, str) else None
    if isinstance(metric, str) and metric in _NAMES_RESOLVED_BY_SHAPE:
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
    """Return the name of the metric that "accuracy" or "crossentropy" is here."""
    kind = shape_kind(y, y_pred)
    prefix = "sparse_categorical" if kind == "sparse" else kind
    is_accuracy = name in ("accuracy", "acc")
    return f"{prefix}_{'accuracy' if is_accuracy else 'crossentropy'}"

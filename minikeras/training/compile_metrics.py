"""The metrics of a compiled model, by output."""

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
        self, metrics, weighted_metrics, output_names=None, name="compile_metrics"
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
    def metrics(self):
        """The metrics, in order."""
        return [metric for _, _, metric, _ in self.entries]

    @property
    def variables(self):
        """The variables of all metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @all_or_nothing
    def build(self, y, y_pred):
        """Make the metrics, and find out which output each belongs to."""
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

    def update_state(self, y, y_pred, sample_weight=None):
        """Update every metric by a batch."""
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

    def result(self):
        """{key: value} of all metrics; of some the value is a dict."""
        return {key: metric.result() for key, _, metric, _ in self.entries}

    def reset_state(self):
        """Forget what was seen."""
        for metric in self.metrics:
            metric.reset_state()

    def get_config(self):
        """Not for files: the compile config of the model says it all."""
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
    if value is None or _is_metric(value):
        if isinstance(value, str) and value not in _BY_SHAPE:
            metrics_module.get(value)  # unknown names fail at compile
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
    """Give each metric its key: name, output name in front, "weighted_" or a number
    where a key is taken."""
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


_BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")


def resolve_metric(metric, y, y_pred):
    """Name, function, config or object -> (Metric, its key in the logs)."""
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
    kind = shape_kind(y, y_pred)
    prefix = "sparse_categorical" if kind == "sparse" else kind
    what = "accuracy" if name in ("accuracy", "acc") else "crossentropy"
    return f"{prefix}_{what}"

"""MonitorCallback: the base of callbacks that compare values of one metric."""

import warnings
from collections.abc import Callable

from minikeras.callbacks.callback import Callback
from minikeras.ops import greater, less


class MonitorCallback(Callback):
    """Base of callbacks that ask whether a metric has improved.

    Args:
        monitor: name of the metric in the logs.
        mode: "min" if smaller values are better, "max" if larger are; "auto" decides by
            the name: "min" for "loss", else by the model's metric of that name.
        baseline: first value to beat, or None.
        min_delta: >= 0; a smaller change is no improvement.
    """

    def __init__(self, monitor="val_loss", mode="auto", baseline=None, min_delta=0.0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            name = type(self).__name__
            warnings.warn(
                f"{name} mode '{mode}' is unknown; expected 'auto', 'min' or 'max'. "
                "Going on with 'auto'.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable | None = None

    def _set_monitor_op(self):
        """Set `monitor_op(new, best)`; for mode="auto" this needs the model."""
        mode = self.mode if self.mode != "auto" else self._mk_auto_mode()
        self.monitor_op = greater if mode == "max" else less

    def _mk_auto_mode(self):
        """The mode that the name of the metric implies: "min" or "max"."""
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        direction = _direction(getattr(self.model, "metrics", None) or [], name)
        if direction is None:
            raise ValueError(
                f"{type(self).__name__}: monitor={self.monitor!r} with mode='auto', "
                "but no metric of the model with that name says whether larger or "
                "smaller is better. Pass mode='max' or mode='min'."
            )
        return "max" if direction == "up" else "min"

    def _is_improvement(self, value, reference):
        """True if `value` is better than `reference` by more than `min_delta`."""
        if reference is None:
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        # As in Keras, min_delta is added to the value: value + delta < reference.
        delta = self.min_delta if self.monitor_op is less else -self.min_delta
        return bool(self.monitor_op(value + delta, reference))  # pyright: ignore


def _direction(metrics, name):
    """The direction of the first metric with this name: "up", "down" or None."""
    for metric in metrics:
        nested = getattr(metric, "metrics", None)
        found = _direction(nested, name) if nested else None
        if found is None and getattr(metric, "name", None) == name:
            found = getattr(metric, "_mk_direction", None)
        if found is not None:
            return found
    return None

"""What callbacks that watch one metric share."""

import warnings
from collections.abc import Callable

from minikeras.callbacks.callback import Callback
from minikeras.ops import greater, less


class MonitorCallback(Callback):
    """Base of callbacks that ask whether a watched value got better.

    Args:
        monitor: name of the value in `logs`.
        mode: `"min"` where smaller is better, `"max"` where larger is, or `"auto"`:
            smaller for `"loss"`, else as the metric of that name in the model says.
        baseline: first value to beat, or None.
        min_delta: a value counts as better only if it is by more than this.
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
        """Choose `monitor_op(new, best)`; in auto mode this needs the model."""
        mode = self.mode if self.mode != "auto" else self._mk_auto_mode()
        self.monitor_op = greater if mode == "max" else less

    def _mk_auto_mode(self):
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
        """Whether `value` beats `reference` by more than `min_delta`."""
        if reference is None:
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        # The value is handicapped, so that ties within min_delta are no gain.
        delta = self.min_delta if self.monitor_op is less else -self.min_delta
        return bool(self.monitor_op(value + delta, reference))  # pyright: ignore


def _direction(metrics, name):
    """`"up"`, `"down"` or None: that of the first metric called `name`."""
    for metric in metrics:
        nested = getattr(metric, "metrics", None)
        found = _direction(nested, name) if nested else None
        if found is None and getattr(metric, "name", None) == name:
            found = getattr(metric, "_mk_direction", None)
        if found is not None:
            return found
    return None

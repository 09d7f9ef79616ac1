"""Progbar: a progress bar, in one line of the terminal or in a notebook."""

import math
import time
from typing import Any

import numpy as np

from minikeras.callbacks.progress import (
    NotebookOutput,
    Progress,
    bar_line,
    plain_line,
)
from minikeras.core import printing as terminal
from minikeras.core.printing import print_msg
from minikeras.settings import is_interactive_logging_enabled

# Where nothing can be drawn over, each drawing is one more line: with the default
# interval of 0.05 s one in 30 s.
_INTERVALS_OF_LINES = 600


class Progbar:
    """A progress bar with the time per step and the values of metrics.

    A terminal shows one line that is drawn over, a notebook one output that is
    replaced. A file or a pipe gets plain lines, of which few are written.

    Args:
        target: number of steps; None if unknown.
        width: width of the bar in characters.
        verbose: 0 prints nothing, 1 a live bar, 2 one line at the end.
        interval: least time between two drawings, in seconds.
        stateful_metrics: names of metrics whose last value is shown; of all others the
            average over the steps.
        stateless_metrics: names of metrics whose average is shown; of all others the
            last value. At most one of the two lists may be given.
        unit_name: name of a step in the text.

    Raises:
        ValueError: both lists are given.

    >>> bar = Progbar(2, verbose=2)
    >>> bar.update(2, [("loss", 0.5)])
    2/2 - 0s - ...s/step - loss: 0.5000
    """

    def __init__(
        self,
        target,
        width=20,
        verbose=1,
        interval=0.05,
        stateful_metrics=None,
        stateless_metrics=None,
        unit_name="step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` and `stateless_metrics` may be given; "
                f"got {stateful_metrics} and {stateless_metrics}."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or [])
        averaged = stateless_metrics
        self.stateless_metrics = None if averaged is None else set(averaged)
        self._values = {}  # {name: (sum, steps)}; (last value, 0) if not averaged
        self._seen = 0
        self._mk_start = time.time()
        self._after_first = None
        self._drawn_at = self._asked_at = 0.0
        self._drawn_width = 0
        self._mk_notebook: Any = None  # a `NotebookOutput`, which bars may share

    def is_due(self, current):
        """True if `update(current, finalize=False)` would draw the bar.

        Args:
            current: number of steps so far.
        """
        self._note_first_step(current)
        if self.verbose != 1 or not is_interactive_logging_enabled():
            return False
        now = time.time()
        if now - max(self._drawn_at, self._asked_at) < self.interval:
            return False
        if terminal.medium() != "lines":
            return True
        last = max(self._drawn_at, self._mk_start)
        if now - last >= self.interval * _INTERVALS_OF_LINES:
            return True
        # To ask for the stream in each step would take 1 us; it is asked for as often
        # as a bar in a terminal is drawn.
        self._asked_at = now
        return False

    def update(self, current, values=None, finalize=None):
        """Move the bar; draw it if the last drawing is `interval` seconds old.

        Args:
            current: number of steps so far.
            values: list of (name, value) of metrics.
            finalize: True draws and ends the line; None does so when `current` reaches
                the target.
        """
        finalize = self._is_last(current) if finalize is None else finalize
        self._note_first_step(current)
        self._add_values(current, values or [])
        if not (self.verbose > 0 if finalize else self.is_due(current)):
            return
        progress = self._progress(current, finalize)
        medium = terminal.medium() if self.verbose == 1 else "lines"
        if not is_interactive_logging_enabled():
            medium = "lines"
        if medium == "notebook":
            self._mk_notebook = self._mk_notebook or NotebookOutput()
            self._mk_notebook.show(progress, finalize)
        elif medium == "terminal":
            self._draw_over(bar_line(progress, self.width, finalize), finalize)
        else:
            print_msg(plain_line(progress))
        self._drawn_at = time.time()

    def _draw_over(self, line, finalize):
        """Draw a line over the last one; spaces cover the rest of a longer one."""
        width, most = terminal.width(line), terminal.columns() or self._drawn_width
        blanks = " " * (min(most, self._drawn_width) - width)
        print_msg(f"\r{line}{blanks}", line_break=finalize)
        self._drawn_width = width

    def add(self, n, values=None):
        """Move the bar by `n` steps, as `update` does.

        Args:
            n: number of steps since the last call.
            values: list of (name, value) of metrics.
        """
        self.update(self._seen + n, values)

    def _is_last(self, current):
        return self.target is not None and current >= self.target

    def _note_first_step(self, current):
        if self._after_first is None and current > 0:
            self._after_first = (time.time(), current)

    def _add_values(self, current, values):
        steps = max(current - self._seen, 1)
        for name, value in values:
            if self._is_averaged(name):
                total, count = self._values.get(name, (0.0, 0))
                self._values[name] = (total + _mean(value) * steps, count + steps)
            else:
                self._values[name] = (value, 0)
        self._seen = current

    def _is_averaged(self, name):
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in self.stateful_metrics

    def _progress(self, current, finalize):
        """What to show."""
        elapsed = time.time() - self._mk_start
        each = self._seconds_per_step(current, elapsed)
        live = self.verbose == 1
        if finalize or not self.target or (live and terminal.medium() == "lines"):
            clock = f"{elapsed:.0f}s"
        else:
            clock = format_remaining(each * (self.target - current))
        return Progress(
            count=_format_count(current, self.target),
            share=min(current / self.target, 1.0) if self.target else None,
            clock=clock,
            speed=f"{_format_duration(each)}/{self.unit_name}",
            metrics=[
                (name, _format_value(total, count))
                for name, (total, count) in self._values.items()
            ],
            more=self._mk_more(current, each, finalize) if live else [],
        )

    def _mk_more(self, current, each, finalize):
        """Further texts of a live bar.

        Args:
            current: number of steps so far.
            each: seconds of a step.
            finalize: bool, whether it is the last drawing.
        """
        return []

    def _seconds_per_step(self, current, elapsed):
        """Average time of a step, without the first one, which compiles the program."""
        if self._after_first is None:
            return elapsed
        first_time, first = self._after_first
        if current <= first:
            return elapsed / max(current, 1)
        return (time.time() - first_time) / (current - first)


def _format_count(current, target):
    if target is None:
        return f"{current}/Unknown"
    return f"{current:{len(str(target))}d}/{target}"


def _mean(value):
    return float(np.mean(np.asarray(value)))


def _format_value(total, count):
    if isinstance(total, str) or total is None:
        return str(total)
    value = _mean(total) / (count or 1)
    # As in Keras, negative values have an exponent too.
    return f"{value:.4e}" if value <= 1e-3 else f"{value:.4f}"


def _format_duration(seconds):
    if seconds >= 1 or not math.isfinite(seconds) or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def format_remaining(seconds):
    """The remaining time as `12s`, `4:05` or `1:04:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"

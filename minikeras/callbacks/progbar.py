"""A progress bar in one line of text."""

import math
import time

import numpy as np

from minikeras.core import printing as terminal
from minikeras.core.printing import print_msg
from minikeras.settings import is_interactive_logging_enabled


class Progbar:
    """A progress bar.

    Args:
        target: number of steps, or None where unknown.
        width: characters the bar takes.
        verbose: 0 nothing, 1 a live bar, 2 one line at the end.
        interval: least seconds between two drawings.
        stateful_metrics: names of values shown as they are; all others are averaged
            over the steps.
        stateless_metrics: names of values to average; all others are shown as they
            are. Give at most one of the two.
        unit_name: what a step is called.

    >>> bar = Progbar(2, verbose=2)
    >>> bar.update(2, [("loss", 0.5)])  # doctest: +ELLIPSIS
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
        self._values = {}  # name -> (sum, steps); steps 0 for a value shown as it is
        self._seen = 0
        self._mk_start = time.time()
        self._after_first = None
        self._drawn_at = 0.0
        self._drawn_width = 0

    def is_due(self, current):
        """Whether `update(current, finalize=False)` would draw: if not, save it."""
        self._note_first_step(current)
        if self.verbose != 1 or not is_interactive_logging_enabled():
            return False
        return time.time() - self._drawn_at >= self.interval

    def update(self, current, values=None, finalize=None):
        """Move the bar and draw it, if the last drawing is old enough.

        Args:
            current: steps done so far.
            values: list of `(name, value)` to show behind the bar.
            finalize: end the line; by default once `current` reaches the target.
        """
        finalize = self._is_last(current) if finalize is None else finalize
        self._note_first_step(current)
        self._collect(current, values or [])
        if not (self.verbose > 0 if finalize else self.is_due(current)):
            return
        line = self._line(current, finalize, live=self.verbose == 1)
        if self.verbose == 1:
            # What is left of a longer line before is blanked out.
            width = terminal.width(line)
            line = "\r" + line + " " * (self._room(self._drawn_width) - width)
            self._drawn_width = width
        print_msg(line, line_break=finalize)
        self._drawn_at = time.time()

    def add(self, n, values=None):
        """Move the bar on by `n` steps; see `update`."""
        self.update(self._seen + n, values)

    def _is_last(self, current):
        return self.target is not None and current >= self.target

    def _note_first_step(self, current):
        if self._after_first is None and current > 0:
            self._after_first = (time.time(), current)

    def _collect(self, current, values):
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

    def _line(self, current, finalize, live):
        elapsed = time.time() - self._mk_start
        each = self._seconds_per_step(current, elapsed)
        if finalize or not self.target:
            clock = f"{elapsed:.0f}s"
        else:
            clock = _clock(each * (self.target - current))
        speed = f"{_duration(each)}/{self.unit_name}"
        metrics = [
            f" - {name}: {_number(total, count)}"
            for name, (total, count) in self._values.items()
        ]
        count = _count(current, self.target)
        if not live:
            return f"{count} - {clock} - {speed}{''.join(metrics)}"
        bar = self._bar(current) if self.target else ""
        start, end = f"{_style(count, 1)} ", f"{_style(clock, 1)} {speed}"
        # The last line of an epoch stays: it may wrap, so that no metric is lost.
        if finalize:
            return "".join([start, bar, end, *metrics])
        return self._fit(start, bar, end, metrics)

    def _fit(self, start, bar, end, metrics):
        """One row of the terminal: a longer one could not be drawn over.

        Metrics that find no room are left out, from the first such on; on a very
        narrow terminal the bar, and in the end whatever goes beyond it.
        """
        line, room = f"{start}{bar}{end}", self._room(math.inf)
        if terminal.width(line) > room:
            line = f"{start}{end}"
        width = terminal.width(line)
        for metric in metrics:
            width += terminal.width(metric)
            if width > room:
                break
            line += metric
        return terminal.cut(line, room)

    def _room(self, most):
        """`most` columns, or those of the terminal that a cursor can return from."""
        columns = terminal.columns()
        return most if columns is None else min(most, columns)

    def _bar(self, current):
        done = round(self.width * min(current / self.target, 1.0))
        colours = terminal.shows_colours()
        full, rest = "━" * done, ("━" if colours else "─") * (self.width - done)
        return f"{_style(full, 32)}{_style(rest, 37)} "

    def _seconds_per_step(self, current, elapsed):
        """Mean time a step; the first, which compiles, counts only while alone."""
        if self._after_first is None:
            return elapsed
        then, first = self._after_first
        if current <= first:
            return elapsed / max(current, 1)
        return (time.time() - then) / (current - first)


def _style(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if text and terminal.shows_colours() else text


def _count(current, target):
    if target is None:
        return f"{current}/Unknown"
    return f"{current:{len(str(target))}d}/{target}"


def _mean(value):
    return float(np.mean(np.asarray(value)))


def _number(total, count):
    if isinstance(total, str) or total is None:
        return str(total)
    value = _mean(total) / (count or 1)
    # As Keras does it, which shows negative values so, too.
    return f"{value:.4e}" if value <= 1e-3 else f"{value:.4f}"


def _duration(seconds):
    if seconds >= 1 or not math.isfinite(seconds) or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _clock(seconds):
    """Seconds as `12s`, `4:05` or `1:04:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"

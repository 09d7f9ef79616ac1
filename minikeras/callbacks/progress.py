"""What a progress bar shows at a moment, as text and as HTML."""

import html
import math
import time
from typing import Any, NamedTuple

from minikeras.core import printing as terminal
from minikeras.core.late_import import late_import

_FULL, _EMPTY, _PLAIN_EMPTY = "━", "━", "─"
_GREEN, _WHITE, _BOLD, _DIM = 32, 37, 1, 2  # of ANSI sequences
_ROWS = 10  # finished epochs that a notebook shows at most


class Progress(NamedTuple):
    """What is known at a moment.

    Args:
        count: str, such as "3/10".
        share: float in [0, 1], of the steps; None where their number is unknown.
        clock: str, the time left, or at the end the time taken.
        speed: str, such as "20ms/step".
        metrics: list of (name, text of the value).
        more: list of further texts, such as "50 steps/s".
    """

    count: str
    share: float | None
    clock: str
    speed: str
    metrics: list[tuple[str, str]]
    more: list[str]


def plain_line(progress: Progress) -> str:
    """One line without colours and without a bar."""
    metrics = [f"{name}: {value}" for name, value in progress.metrics]
    parts = (progress.count, progress.clock, progress.speed, *metrics, *progress.more)
    return " - ".join(parts)


def bar_line(progress: Progress, width: int, whole: bool) -> str:
    """A bar in one line of the terminal.

    A cursor cannot return over a line break, so a longer line would stay. What stands
    furthest to the right is left out first; on a narrow terminal the bar is left out
    too, and the rest is cut. The last line is not drawn over, so it may wrap, with all
    metrics.

    Args:
        progress: what to show.
        width: columns of the bar itself.
        whole: bool, whether all metrics are shown.
    """
    columns = terminal.columns() or math.inf
    start = f"{_colour(progress.count, _BOLD)} "
    end = f"{_colour(progress.clock, _BOLD)} {progress.speed}"
    line = f"{start}{_bar(progress.share, width)}{end}"
    if terminal.width(line) > columns and not whole:
        line = f"{start}{end}"
    metrics = [f" - {name}: {value}" for name, value in progress.metrics]
    if whole:
        line, metrics = "".join([line, *metrics]), []
    more = [_colour(f" - {text}", _DIM) for text in progress.more]
    used = terminal.width(line)
    for text in (*metrics, *more):
        used += terminal.width(text)
        if used > columns:
            break
        line += text
    return line if whole or columns == math.inf else terminal.cut(line, int(columns))


def _bar(share, width):
    if share is None:
        return ""
    done = round(width * share)
    rest = (_EMPTY if terminal.shows_colours() else _PLAIN_EMPTY) * (width - done)
    return f"{_colour(_FULL * done, _GREEN)}{_colour(rest, _WHITE)} "


def _colour(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if text and terminal.shows_colours() else text


class NotebookOutput:
    """One output of a notebook's cell, which is replaced at each drawing.

    It holds the bar, the metrics, and a table of the last epochs, so that a notebook of
    a long training stays small.
    """

    def __init__(self):
        self._handle: Any = None
        self._heading = ""
        self._rows: list[tuple[str, Progress]] = []
        self._dropped = 0

    def begin_epoch(self, heading: str) -> None:
        """Show another heading above the bar, such as "Epoch 1/3"."""
        self._heading = heading

    def show(self, progress: Progress, finished: bool = False) -> None:
        """Draw the bar.

        Args:
            progress: what to show.
            finished: bool, whether an epoch has ended, which then gets a row.
        """
        if finished and self._heading:
            self._rows.append((self._heading, progress))
            self._dropped += len(self._rows) > _ROWS
            del self._rows[:-_ROWS]
        heading = f"{self._heading}: " if self._heading else ""
        data = {
            "text/plain": heading + plain_line(progress),
            "text/html": self._html(progress),
        }
        display = late_import("IPython.display")
        if self._handle is None:
            self._handle = display.display(data, raw=True, display_id=True)
        else:
            display.update_display(data, raw=True, display_id=self._handle.display_id)

    def _html(self, progress):
        heading = f"<b>{html.escape(self._heading)}</b> " if self._heading else ""
        share = progress.share
        value = "" if share is None else f' value="{share:.4f}" max="1"'
        keep = '<span style="white-space: nowrap">'
        metrics = [f"{keep}{n}: <b>{v}</b></span>" for n, v in _escaped(progress)]
        lines = [
            f'{heading}<progress{value} style="width: 16em"></progress> '
            f"{progress.count} &nbsp;<b>{progress.clock}</b> {progress.speed}",
            " &nbsp; ".join(metrics),
            f'<span style="opacity: 0.65">{" &nbsp; ".join(progress.more)}</span>',
        ]
        text = "<br>".join(filter(None, lines))
        # One column of digits: numbers that change do not move what stands behind.
        style = "font-family: monospace; line-height: 1.6"
        return f'<div style="{style}">{text}{self._table()}</div>'

    def _table(self):
        """The rows of the last epochs, the newest at the top."""
        if not self._rows:
            return ""
        names = list(dict.fromkeys(n for _, p in self._rows for n, _ in _escaped(p)))
        head = "".join(f"<th>{name}</th>" for name in ["epoch", "time", *names])
        body = ""
        for heading, progress in reversed(self._rows):
            values = dict(_escaped(progress))
            number = heading.removeprefix("Epoch ").partition("/")[0]
            cells = [number, progress.clock, *(values.get(n, "") for n in names)]
            body += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        if self._dropped:
            body += f'<tr><td colspan="{2 + len(names)}">and {self._dropped} before'
            body += "</td></tr>"
        return f"<table><tr>{head}</tr>{body}</table>"


def _escaped(progress):
    return [(html.escape(name), html.escape(text)) for name, text in progress.metrics]


class RemainingTime:
    """Estimates when `fit` ends: steps, validations and callbacks of all epochs."""

    def __init__(self):
        self._tail = 0.0  # seconds from the last step to the end of an epoch
        self._steps_ended = None

    def end_steps(self) -> None:
        """The last step of an epoch has ended."""
        self._steps_ended = time.time()

    def end_epoch(self) -> None:
        """An epoch has ended, with its validation."""
        if self._steps_ended is not None:
            self._tail, self._steps_ended = time.time() - self._steps_ended, None

    def seconds(self, each: float, left: int, steps: int, epochs_left: int) -> float:
        """Seconds to the end.

        Args:
            each: seconds of a step.
            left: steps that are left in this epoch.
            steps: steps of an epoch.
            epochs_left: epochs that follow.
        """
        return each * (left + steps * epochs_left) + self._tail * (1 + epochs_left)

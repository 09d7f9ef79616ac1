"""Self-contained HTML pages: text, tables, and charts as SVG."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

_WIDTH, _HEIGHT, _MARGIN = 420, 220, 48
_COLOURS = ("#0b57a4", "#d95f02", "#1e7a34", "#8a3ffc", "#b3261e", "#6e7781", "#007d79")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; color: #1f2328; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.verdict { color: #fff; padding: .6rem 1rem; border-radius: .4rem }
.warning { background: #fff4e5; padding: .4rem 1rem; border-left: .25rem solid #d95f02 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: left;
  border-bottom: 1px solid #d0d7de } td.number { text-align: right }
pre { background: #f6f8fa; padding: .8rem; white-space: pre-wrap }
figure { display: inline-block; margin: 0 1.5rem 1rem 0; vertical-align: top }
figcaption { font-size: .85rem }
"""


class Line(NamedTuple):
    """A line of a chart.

    Args:
        points: (x, y), those that are not finite are left out.
        colour: a colour of CSS; "": the next of the palette.
        width: of the stroke, in pixels.
        marks: bool, whether points are drawn instead of a line.
    """

    points: Sequence[tuple[float, float]]
    colour: str = ""
    width: float = 1.5
    marks: bool = False


def page(title: str, body: Iterable[str], refresh: int | None = None) -> str:
    """A page.

    Args:
        title: its title, as text.
        body: parts, as HTML.
        refresh: seconds after which a browser loads it again; None: never.
    """
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    head = f'<meta charset="utf-8">{again}<title>{escape(title)}</title>'
    parts = "\n".join(body)
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head>'
        f"<body>{parts}</body></html>\n"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of texts and numbers."""

    def cell(x):
        is_number, kind = isinstance(x, (int, float)), ' class="number"'
        text = f"{x:.7g}" if isinstance(x, float) else str(x)
        return f"<td{kind * is_number}>{escape(text)}</td>"

    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def figure(picture: str, caption: str) -> str:
    """A picture, as HTML, with a caption, as text."""
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def chart(lines: Mapping[str, Line], log: bool = False, x_label: str = "epoch") -> str:
    """Lines over one another as an SVG picture.

    Args:
        lines: {label: Line}; a legend names them if there are several labels.
        log: bool, whether the vertical axis is logarithmic; only numbers > 0 are drawn.
        x_label: what the horizontal axis is.
    """
    scale = math.log10 if log else float
    drawn = {
        label: line._replace(
            points=[
                (x, scale(y))
                for x, y in line.points
                if math.isfinite(y) and (y > 0 or not log)
            ]
        )
        for label, line in lines.items()
    }
    points = [p for line in drawn.values() for p in line.points]
    xs, ys = [x for x, _ in points] or [0, 1], [y for _, y in points] or [0, 1]
    frame = (min(xs), max(xs), min(ys), max(ys))
    parts = [
        _line(line._replace(colour=line.colour or _COLOURS[i % len(_COLOURS)]), frame)
        for i, line in enumerate(drawn.values())
    ]
    legend = "".join(
        f'<span style="color:{line.colour or _COLOURS[i % len(_COLOURS)]}">&#9644; '
        f"</span>{escape(label)} "
        for i, (label, line) in enumerate(drawn.items())
        if label
    )
    return (
        f'<div><svg width="{_WIDTH}" height="{_HEIGHT}" role="img">'
        f"{_axes(frame, log, x_label)}{''.join(parts)}</svg>"
        f'<p style="font-size:.8rem;max-width:{_WIDTH}px">{legend}</p></div>'
    )


def _line(line, frame):
    left, right, low, high = frame
    across, up = (right - left) or 1, (high - low) or 1
    places = [
        (
            _MARGIN + (x - left) / across * (_WIDTH - _MARGIN - 10),
            10 + (high - y) / up * (_HEIGHT - 34),
        )
        for x, y in line.points
    ]
    if line.marks or len(places) == 1:
        return "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{line.colour}" '
            'fill-opacity="0.6"/>'
            for x, y in places
        )
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return (
        f'<polyline points="{text}" fill="none" stroke="{line.colour}" '
        f'stroke-width="{line.width}"/>'
    )


def _axes(frame, log, x_label):
    left, right, low, high = frame
    number = (lambda y: f"{10**y:.3g}") if log else (lambda y: f"{y:.4g}")
    return (
        f'<path d="M{_MARGIN} 10V{_HEIGHT - 24}H{_WIDTH - 10}" fill="none" '
        f'stroke="#8c959f"/><g font-size="10">'
        f'<text x="{_MARGIN - 4}" y="14" text-anchor="end">{number(high)}</text>'
        f'<text x="{_MARGIN - 4}" y="{_HEIGHT - 22}" text-anchor="end">{number(low)}'
        f'</text><text x="{_MARGIN}" y="{_HEIGHT - 10}">{left:.4g}</text>'
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 10}" text-anchor="end">'
        f"{escape(x_label)} {right:.4g}</text></g>"
    )

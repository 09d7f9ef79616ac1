"""A verdict as one self-contained HTML page, with both loss curves."""

import html
import os
from collections.abc import Sequence

import jax

from minikeras.parity.verdict import DIFFERENT, FAILED, UNREPEATABLE, Verdict
from minikeras.saving.atomic_files import replace_file
from minikeras.version import KERAS_VERSION, __version__

_COLOURS = {DIFFERENT: "#b3261e", FAILED: "#b3261e", UNREPEATABLE: "#8a5a00"}
_GOOD = "#1e7a34"
_WIDTH, _HEIGHT, _MARGIN = 420, 220, 44
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; color: #1f2328; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.verdict { color: #fff; padding: .6rem 1rem; border-radius: .4rem }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: left;
  border-bottom: 1px solid #d0d7de } td.number { text-align: right }
pre { background: #f6f8fa; padding: .8rem; white-space: pre-wrap }
figure { display: inline-block; margin: 0 1.5rem 1rem 0 }
"""


def write_report(verdict: Verdict, path: str | os.PathLike) -> None:
    """Write the page.

    Args:
        verdict: what it tells.
        path: of the file; one that exists is replaced.
    """
    with replace_file(os.fspath(path)) as file:
        file.write(page(verdict).encode())


def page(verdict: Verdict) -> str:
    """The page as HTML.

    Args:
        verdict: what it tells.
    """
    title = html.escape(f"{verdict.script} against {verdict.against}")
    colour = _COLOURS.get(verdict.kind, _GOOD)
    headline, *lines = str(verdict).splitlines()[1:]
    body = [
        f"<h1>{title}</h1>",
        f'<p class="verdict" style="background:{colour}">{html.escape(headline)}</p>',
        f"<pre>{html.escape(os.linesep.join(lines))}</pre>",
        *_curves(verdict),
        *_calls(verdict),
        *_run(verdict),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Parity: {title}</title><style>{_STYLE}</style></head><body>"
        + "\n".join(body)
        + "</body></html>\n"
    )


def _curves(verdict):
    if not verdict.histories:
        return
    yield "<h2>Histories</h2><p>Thick and pale: there; thin and dark: here.</p>"
    for call, theirs, ours in verdict.histories:
        for name in theirs:
            if name in ours and len(theirs[name]) > 1:
                caption = html.escape(f"{name}, {call}")
                picture = curves(theirs[name], ours[name])
                yield f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"
        rows = [(n, theirs[n][-1], ours[n][-1]) for n in theirs if ours.get(n)]
        yield _table(("last epoch", "there", "here"), rows)


def curves(theirs: Sequence[float], ours: Sequence[float]) -> str:
    """Two series of numbers as an SVG picture.

    Args:
        theirs, ours: numbers by epoch; those that are not finite are left out.
    """
    finite = [v for v in (*theirs, *ours) if abs(v) < float("inf")]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    span = (high - low) or 1.0
    last = max(len(theirs), len(ours)) - 1 or 1

    def line(series, colour, width):
        points = " ".join(
            f"{_MARGIN + i / last * (_WIDTH - _MARGIN - 10):.1f},"
            f"{10 + (high - v) / span * (_HEIGHT - 34):.1f}"
            for i, v in enumerate(series)
            if abs(v) < float("inf")
        )
        return (
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}"/>'
        )

    texts = ((high, 14), (low, _HEIGHT - 22))
    labels = "".join(
        f'<text x="{_MARGIN - 4}" y="{y}" font-size="10" text-anchor="end">{v:.4g}'
        "</text>"
        for v, y in texts
    )
    axis = (
        f'<path d="M{_MARGIN} 10V{_HEIGHT - 24}H{_WIDTH - 10}" fill="none" '
        f'stroke="#8c959f"/><text x="{_WIDTH - 10}" y="{_HEIGHT - 10}" font-size="10" '
        f'text-anchor="end">epoch {last + 1}</text>'
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img">{axis}{labels}'
        f"{line(theirs, '#9cc4f2', 5)}{line(ours, '#0b3d91', 1.5)}</svg>"
    )


def _calls(verdict):
    rows = [(call, f"{apart:.1e}") for call, apart in verdict.calls]
    yield "<h2>Calls</h2>" + _table(("call", "largest relative difference"), rows)


def _run(verdict):
    rows = [
        ("minikeras", __version__),
        ("Keras's version", KERAS_VERSION),
        ("jax", jax.__version__),
        *((f"seconds, {name}", f"{s:.1f}") for name, s in verdict.seconds.items()),
        ("steps compared one by one", verdict.steps),
    ]
    yield "<h2>The run</h2>" + _table(("", ""), rows)


def _table(heads, rows):
    def cell(x):
        is_number, kind = isinstance(x, (int, float)), ' class="number"'
        text = f"{x:.7g}" if isinstance(x, float) else str(x)
        return f"<td{kind * is_number}>{html.escape(text)}</td>"

    head = "".join(f"<th>{html.escape(h)}</th>" for h in heads)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"

"""A verdict as one self-contained HTML page, with both loss curves."""

import html
import os
from collections.abc import Sequence

import jax

from minikeras.core import html_page
from minikeras.parity.verdict import DIFFERENT, FAILED, UNREPEATABLE, Verdict
from minikeras.saving.atomic_files import replace_file
from minikeras.version import KERAS_VERSION, __version__

_COLOURS = {DIFFERENT: "#b3261e", FAILED: "#b3261e", UNREPEATABLE: "#8a5a00"}
_GOOD = "#1e7a34"


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
    return html_page.page(f"Parity: {verdict.script} against {verdict.against}", body)


def _curves(verdict):
    if not verdict.histories:
        return
    yield "<h2>Histories</h2>"
    for call, theirs, ours in verdict.histories:
        for name in theirs:
            if name in ours and len(theirs[name]) > 1:
                picture = curves(theirs[name], ours[name])
                yield html_page.figure(picture, f"{name}, {call}")
        rows = [(n, theirs[n][-1], ours[n][-1]) for n in theirs if ours.get(n)]
        yield html_page.table(("last epoch", "there", "here"), rows)


def curves(theirs: Sequence[float], ours: Sequence[float]) -> str:
    """Two series of numbers as an SVG picture.

    Args:
        theirs, ours: numbers by epoch; those that are not finite are left out.
    """
    there, here = (list(enumerate(series, 1)) for series in (theirs, ours))
    lines = {
        "there": html_page.Line(there, "#9cc4f2", 5),
        "here": html_page.Line(here, "#0b3d91"),
    }
    return html_page.chart(lines)


def _calls(verdict):
    rows = [(call, f"{apart:.1e}") for call, apart in verdict.calls]
    yield "<h2>Calls</h2>" + html_page.table(
        ("call", "largest relative difference"), rows
    )


def _run(verdict):
    rows = [
        ("minikeras", __version__),
        ("Keras's version", KERAS_VERSION),
        ("jax", jax.__version__),
        *((f"seconds, {name}", f"{s:.1f}") for name, s in verdict.seconds.items()),
        ("steps compared one by one", verdict.steps),
    ]
    yield "<h2>The run</h2>" + html_page.table(("", ""), rows)

"""Diagrams of models drawn with matplotlib, where there is no Graphviz."""

import functools
import itertools

from minikeras.core.late_import import late_import
from minikeras.models.diagram import COLOURS
from minikeras.models.diagram_layout import arrange
from minikeras.saving.figures import matplotlib_module, new_figure, write_figure

# Inches and points.
_ROW, _PADDING, _BORDER, _TITLE = 0.3, 0.1, 0.15, 0.25
_POINTS, _TITLE_POINTS = 9, 10
_DIRECTIONS = ("TB", "BT", "LR", "RL")
_STRAIGHT = ("line", "false", "polyline")
_CURVED = ("curved", "spline", "true")


def draw_diagram(diagram, path, rankdir="TB", dpi=200, splines="ortho"):
    """Draw a `Diagram` into a file; returns its path.

    Args:
        diagram: the diagram; its boxes hold rows of `Cell`s.
        path: file to write; its ending is the format, `.png` by default.
        rankdir: "TB", "BT", "LR" or "RL".
        dpi: dots per inch.
        splines: "ortho", or as Graphviz calls lines and curves; "none": no arrows.

    Raises:
        ValueError: an unknown `rankdir` or `splines`, or no format of matplotlib.
        ImportError: matplotlib is not installed.
    """
    if rankdir not in _DIRECTIONS:
        raise ValueError(
            f"plot_model: expected `rankdir` to be one of {_DIRECTIONS}, got "
            f"{rankdir!r}."
        )
    splines = str(splines).lower()
    known = ("ortho", "none", "", *_STRAIGHT, *_CURVED)
    if splines not in known:
        raise ValueError(
            f"plot_model: expected `splines` to be one of {known}, got {splines!r}."
        )
    boxes = dict(_boxes(diagram))
    measure = _measure(dpi)
    shapes = {key: _shape(rows, measure) for key, rows in boxes.items()}
    flat = rankdir in ("LR", "RL")
    sizes = {k: (h, w) if flat else (w, h) for k, (w, h, _) in shapes.items()}
    # Names of frames stand at the top, which is the end of ranks from the bottom.
    title = (_TITLE, 0.0) if flat else (0.0, -_TITLE if rankdir == "BT" else _TITLE)
    placed = arrange(diagram, sizes, title)
    size = placed.size[::-1] if flat else placed.size
    width, height = (side + 2 * _BORDER for side in size)
    figure = new_figure("plot_model", max(width, 0.5), max(height, 0.5))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-_BORDER, width - _BORDER)
    axes.set_ylim(height - _BORDER, -_BORDER)
    turn = _turn(rankdir, placed.size)
    for name, box in placed.frames:
        _draw_frame(axes, name, turn(box[:2]), box[:1:-1] if flat else box[2:])
    if splines not in ("none", ""):
        _draw_arrows(axes, placed, turn, splines)
    for key, box in placed.boxes.items():
        _draw_box(axes, turn(box[:2]), boxes[key], shapes[key], measure)
    return write_figure(figure, path, dpi)


def _boxes(diagram):
    """(key, rows) of the boxes of a diagram and of those in it."""
    for part in diagram.parts:
        if hasattr(part, "parts"):
            yield from _boxes(part)
        else:
            yield part


def _measure(dpi):
    """A function of (text, points, bold) that gives the width in inches."""
    # Letters are as wide as whole dots, so at 60 dpi they take more room than at 200.
    agg = matplotlib_module("plot_model", "backends.backend_agg")
    fonts = late_import("matplotlib.font_manager")
    renderer = agg.RendererAgg(1, 1, dpi)

    @functools.cache
    def measure(text, points, bold):
        font = fonts.FontProperties(size=points, weight="bold" if bold else "normal")
        return renderer.get_text_width_height_descent(text, font, False)[0] / dpi

    return measure


def _pieces(cell):
    """[(text, points, bold)] of a cell."""
    if cell.kind == "title" and cell.value:
        return [(cell.value, _TITLE_POINTS, True),
                (f" ({cell.text})", _TITLE_POINTS, False)]  # fmt: skip
    if cell.kind == "title":
        return [(cell.text, _TITLE_POINTS, True)]
    before = [(f"{cell.text}: ", _POINTS, False)] if cell.text else []
    return [*before, (cell.value, _POINTS, True)]


def _shape(rows, measure):
    """(width, height, widths of the cells in each row) of a box, in inches."""
    widths = [
        [sum(itertools.starmap(measure, _pieces(cell))) + 2 * _PADDING for cell in row]
        for row in rows
    ]
    width = max(map(sum, widths))
    # The cells of a shorter row share the rest.
    widths = [[w + (width - sum(row)) / len(row) for w in row] for row in widths]
    return width, _ROW * len(rows), widths


def _turn(rankdir, size):
    """A function from a point (across, along) to (x, y), y downwards."""
    across, along = size
    return {
        "TB": lambda p: (p[0], p[1]),
        "BT": lambda p: (p[0], along - p[1]),
        "LR": lambda p: (p[1], p[0]),
        "RL": lambda p: (along - p[1], p[0]),
    }[rankdir]


def _draw_frame(axes, name, middle, size):
    patches = late_import("matplotlib.patches")
    corner = [m - s / 2 for m, s in zip(middle, size, strict=True)]
    style = {"fill": False, "edgecolor": "0.35", "linestyle": "--", "linewidth": 0.9}
    axes.add_artist(patches.Rectangle(corner, *size, **style))
    text = {"fontsize": _TITLE_POINTS, "va": "top", "parse_math": False}
    axes.text(corner[0] + 0.06, corner[1] + 0.05, name, **text)


def _draw_box(axes, middle, rows, shape, measure):
    """The cells of a box, with their texts."""
    patches = late_import("matplotlib.patches")
    width, height, widths = shape
    y = middle[1] - height / 2
    for row, sizes in zip(rows, widths, strict=True):
        x = middle[0] - width / 2
        for cell, size in zip(row, sizes, strict=True):
            colour = COLOURS.get(cell.kind, "white")
            ink = "black" if colour == "white" else "white"
            style = {"facecolor": colour, "edgecolor": "black", "linewidth": 0.9}
            axes.add_artist(patches.Rectangle((x, y), size, _ROW, zorder=2, **style))
            _write(axes, (x + size / 2, y + _ROW / 2), _pieces(cell), ink, measure)
            x += size
        y += _ROW


def _write(axes, middle, pieces, colour, measure):
    """Write pieces of text beside each other, around a point."""
    widths = list(itertools.starmap(measure, pieces))
    x = middle[0] - sum(widths) / 2
    for (text, points, bold), width in zip(pieces, widths, strict=True):
        # Capital letters have 0.73 of the font's size.
        axes.text(
            x, middle[1] + 0.36 * points / 72, text, color=colour, fontsize=points,
            fontweight="bold" if bold else "normal", parse_math=False, zorder=3,
        )  # fmt: skip
        x += width


def _draw_arrows(axes, placed, turn, splines):
    patches, paths = (late_import(f"matplotlib.{x}") for x in ("patches", "path"))
    style = {"arrowstyle": "-|>", "mutation_scale": 9, "linewidth": 1.0}
    style |= {"color": "0.15", "shrinkA": 0, "shrinkB": 0, "zorder": 1.5}
    kind = paths.Path
    shapes = [_line(links, splines, kind) for links in placed.routes]
    shapes += [(p, [kind.MOVETO] + [kind.LINETO] * (len(p) - 1)) for p in placed.loops]
    for points, codes in shapes:
        path = kind([turn(point) for point in points], codes)
        axes.add_artist(patches.FancyArrowPatch(path=path, **style))


def _line(links, splines, path):
    """(points, codes) of the path of an arrow."""
    points, codes = [links[0].start], [path.MOVETO]
    for start, end, turn in links:
        if points[-1] != start:
            points.append(start)
            codes.append(path.LINETO)
        if splines in _CURVED and start[0] != end[0]:
            middle = (start[1] + end[1]) / 2
            points += [(start[0], middle), (end[0], middle)]
            codes += [path.CURVE4] * 3
        elif splines == "ortho" and abs(start[0] - end[0]) > 1e-3:
            points += [(start[0], turn), (end[0], turn)]
            codes += [path.LINETO] * 3
        else:
            codes.append(path.LINETO)
        points.append(end)
    return points, codes

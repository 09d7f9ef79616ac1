"""What the pictures share: galleries, mosaics, names of classes."""

import math

import numpy as np

from minikeras.core.checks import positive_int
from minikeras.core.late_import import late_import
from minikeras.saving.figures import finish, new_figure

__all__ = [
    "MISSING",
    "class_name",
    "colormap_of",
    "coloured",
    "finish",
    "gallery",
    "mosaic",
    "new_figure",
]

MISSING = (255, 0, 255)  # magenta, which no usual colormap has


def class_name(number, class_names):
    """The name of a class; its number where it has none.

    Args:
        number: int.
        class_names: list or dict of names, or None.
    """
    if class_names is None:
        return str(number)
    if isinstance(class_names, dict):
        return str(class_names.get(int(number), number))
    return str(class_names[number]) if 0 <= number < len(class_names) else str(number)


def gallery(caller, count, cols=None, titles=None, size=1.9, title_size=8):
    """(figure, axes) for `count` pictures in rows, without ticks.

    Args:
        caller: name of the public function.
        count: int, number of pictures.
        cols: int, pictures in a row; None: as many as make a square.
        titles: list of titles, or of (title, colour).
        size: float, inches of a picture.
        title_size: points of the titles.
    """
    if cols is not None:
        positive_int(cols, "cols")
    cols = min(cols or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / cols)
    lines = max((_text(t).count("\n") + 1 for t in titles or []), default=0)
    extra = lines * title_size * 1.35 / 72
    figure = new_figure(caller, cols * size, rows * (size + extra), layout="tight")
    axes = figure.subplots(rows, cols, squeeze=False).ravel()
    for i, axis in enumerate(axes):
        axis.set_axis_off()
        if titles and i < len(titles):
            style = {"fontsize": title_size, "parse_math": False}
            if isinstance(titles[i], tuple):
                style["color"] = titles[i][1]
            axis.set_title(_text(titles[i]), **style)
    return figure, axes[:count]


def _text(title):
    return title[0] if isinstance(title, tuple) else title


def colormap_of(caller, cmap):
    """A colormap of matplotlib, by its name or itself.

    Raises:
        ValueError: matplotlib has none of this name.
    """
    known = late_import("matplotlib").colormaps
    if not isinstance(cmap, str):
        return cmap
    if cmap not in known:
        raise ValueError(f"{caller}: matplotlib has no colormap {cmap!r}.")
    return known[cmap]


def coloured(values, colormap, low=None, high=None):
    """Numbers as colours, (…, 3) bytes; what is no finite number is magenta.

    Args:
        values: float array.
        colormap: a colormap of matplotlib.
        low, high: values of the ends of the colormap; None: the least and the largest.
    """
    values = np.asarray(values, "float32")
    finite = np.isfinite(values)
    if low is None:
        low = values[finite].min() if finite.any() else 0.0
    if high is None:
        high = values[finite].max() if finite.any() else 1.0
    scaled = np.where(finite, values - low, 0.0) / (high - low or 1.0)
    colours = np.asarray(colormap(np.clip(scaled, 0, 1), bytes=True))[..., :3].copy()
    colours[~finite] = MISSING
    return colours


def mosaic(tiles, cols, gap=1):
    """Tiles (n, height, width, 3) of bytes in rows, with white lines between.

    >>> mosaic(np.zeros((3, 2, 2, 3), "uint8"), cols=2).shape
    (5, 5, 3)
    """
    count, height, width = tiles.shape[:3]
    rows = math.ceil(count / cols)
    size = (rows * (height + gap) - gap, cols * (width + gap) - gap, 3)
    picture = np.full(size, 255, "uint8")
    for i, tile in enumerate(tiles):
        top, left = i // cols * (height + gap), i % cols * (width + gap)
        picture[top : top + height, left : left + width] = tile
    return picture

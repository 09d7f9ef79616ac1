"""Figures of matplotlib: made without a display, written beside their place."""

import functools
import io
import os
import sys
from typing import Any

from minikeras.core.late_import import late_import
from minikeras.saving.atomic_files import replace_file

_DPI = 150
_MAX_PIXELS = 2**16 - 1  # of a side: what matplotlib's renderer takes


def matplotlib_module(caller: str, module: str) -> Any:
    """A module of matplotlib, such as "figure".

    Args:
        caller: name of the public function that draws.
        module: name of the module, without "matplotlib.".

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        return late_import(f"matplotlib.{module}")
    except ImportError:
        raise ImportError(
            f"{caller} draws with matplotlib: install it with `pip install matplotlib`."
        ) from None


def new_figure(caller: str, width: float, height: float, **options: Any) -> Any:
    """A figure without axes; notebooks show it where it is the value of a cell.

    It belongs to pyplot only where the user has chosen a backend with windows, so that
    `plt.show()` shows it. Otherwise no backend is chosen, and nothing keeps the figure
    alive.

    Args:
        caller: name of the public function that draws.
        width, height: size in inches.
        **options: of `matplotlib.figure.Figure`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    size = {"figsize": (width, height), **options}
    if _has_windows():
        return late_import("matplotlib.pyplot").figure(**size)
    figure = matplotlib_module(caller, "figure").Figure(**size)
    # IPython draws figures by itself only after pyplot has made one.
    figure._repr_png_ = functools.partial(_as_png, figure)
    return figure


def _has_windows():
    """Has the user imported pyplot, and does its backend show windows?"""
    if "matplotlib.pyplot" not in sys.modules:
        return False
    backends = late_import("matplotlib.backends")
    # Asked otherwise, matplotlib would choose a backend.
    chosen = late_import("matplotlib").get_backend(auto_select=False)
    kind = backends.BackendFilter.INTERACTIVE
    return str(chosen).lower() in backends.backend_registry.list_builtin(kind)


def _as_png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    return file.getvalue()


def finish(figure: Any, path: Any = None, dpi: float | None = None) -> Any:
    """Return a figure; with a path write it and return None.

    Args:
        figure: a figure of matplotlib.
        path: file to write; its ending is the format, `.png` by default.
        dpi: dots per inch; None: 150.

    Raises:
        ValueError: matplotlib does not write the format.
        OSError: the file cannot be written, or is a folder; an old one stays.
    """
    if path is None:
        return figure
    try:
        write_figure(figure, path, dpi or _DPI, bbox_inches="tight")
    finally:
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close(figure)
    return None


def write_figure(figure: Any, path: Any, dpi: float, **options: Any) -> str:
    """Write a figure; returns the path, with the ending.

    Args:
        figure: a figure of matplotlib.
        path: file to write; its ending is the format, `.png` by default.
        dpi: dots per inch; fewer where a side had more than 65,535 dots.
        **options: of `Figure.savefig`.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path!r} is a folder: name a file in it.")
    ending = os.path.splitext(path)[1][1:].lower()
    if not ending:
        path, ending = f"{path}.png", "png"
    bases = late_import("matplotlib.backend_bases")
    known = bases.FigureCanvasBase.get_supported_filetypes()
    if ending not in known:
        raise ValueError(
            f"matplotlib writes no files {'.' + ending!r}, got {path!r}. Choose one of "
            f"{', '.join(sorted(known))}."
        )
    dpi = min(dpi, _MAX_PIXELS / max(*figure.get_size_inches()))
    with replace_file(path) as file:
        figure.savefig(file, format=ending, dpi=dpi, **options)
    return path

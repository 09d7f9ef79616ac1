"""Find the row that makes a nested list ragged, so that errors can name it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

REMEDY = "Pad its rows to one length, for instance with keras.utils.pad_sequences."


def ragged_row(x: Any) -> str | None:
    """Describe the first row that differs in shape from those before; None: no row.

    Args:
        x: nested lists, or an array of objects.

    >>> ragged_row([[1, 2], [3]])
    'row [1] has the shape (1,), row [0] has (2,)'
    >>> ragged_row([[[1], [2]], [[3], [4, 5]]])
    'row [1][1] has the shape (2,), row [1][0] has (1,)'
    """
    found = _shape(x, "")
    return found if isinstance(found, str) else None


def _shape(x, path):
    """The shape of `x`, or the description of its first ragged row, a string."""
    # numpy turns a ragged list into an array of lists when it is told `dtype=object`.
    if isinstance(x, np.ndarray) and x.dtype == object and x.ndim:
        x = list(x)
    if not isinstance(x, (list, tuple)):
        return tuple(getattr(x, "shape", ()))
    first = None
    for i, row in enumerate(x):
        shape = _shape(row, f"{path}[{i}]")
        if isinstance(shape, str):
            return shape
        first = shape if first is None else first
        if shape != first:
            return f"row {path}[{i}] has the shape {shape}, row {path}[0] has {first}"
    return (len(x),) if first is None else (len(x), *first)


def ragged_error(x: Any, error: Exception) -> Exception:
    """The error that names the ragged row of `x`; `error` itself if no row is ragged.

    The search runs after the conversion has failed: it looks at every number of the
    list, which would cost a valid list as much time as the conversion.
    """
    row = ragged_row(x)
    if row is None:
        return error
    ragged = ValueError(f"A ragged list cannot become an array: {row}. {REMEDY}")
    # The list itself, so that callers with several arguments can tell which one it is.
    ragged.ragged = x  # type: ignore[attr-defined]
    return ragged


def ragged_input(error: Exception, named: Mapping[str, Any]) -> str | None:
    """The name of the argument that an error of `ragged_error` is about, or None.

    Args:
        error: any error.
        named: {name: value}, the arguments of the call that it came from.
    """
    culprit = getattr(error, "ragged", None)
    if culprit is None:
        return None
    for name, value in named.items():
        if value is culprit:
            return name
        if isinstance(value, (list, tuple)):
            for i, item in enumerate(value):
                if item is culprit:
                    return f"{name}[{i}]"
    return None

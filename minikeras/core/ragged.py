"""What is wrong with a nested list that is no array."""

import numpy as np

REMEDY = "Pad its rows to one length, for instance with keras.utils.pad_sequences."


def ragged_row(x) -> str | None:
    """Which row of a nested list (or array of objects) has another shape, or None.

    >>> ragged_row([[1, 2], [3]])
    'row [1] has the shape (1,), row [0] has (2,)'
    >>> ragged_row([[[1], [2]], [[3], [4, 5]]])
    'row [1][1] has the shape (2,), row [1][0] has (1,)'
    """
    found = _shape(x, "")
    return found if isinstance(found, str) else None


def _shape(x, path):
    """The shape of what is an array, else what its first ragged row is."""
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


def ragged_error(x, error):
    """The error that says which row of `x` is ragged; `error` itself if none is."""
    row = ragged_row(x)
    if row is None:
        return error
    ragged = ValueError(f"A ragged list cannot become an array: {row}. {REMEDY}")
    ragged.ragged = x  # type: ignore[attr-defined]
    return ragged


def ragged_input(error, named):
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

"""Functions that move entries and change shapes without computing."""

import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic, op, small_sizes_too
from minikeras.core.variable import is_sparse
from minikeras.ops.arguments import as_axes, normalize_axis
from minikeras.ops.convert import as_array, dtype
from minikeras.ops.op_makers import unary
from minikeras.ops.sparse import by_jax, on_entries

__all__ = [
    "broadcast_to", "copy", "diagonal", "expand_dims", "flip", "fliplr", "flipud",
    "moveaxis", "pad", "ravel", "reshape", "roll", "rot90", "squeeze", "swapaxes",
    "transpose",
]  # fmt: skip
copy = unary(
    jnp.copy,
    "A copy of `x` in memory of its own.",
    "[1, 2] -> [1, 2]",
    "copy",
    sparse=on_entries,
)
fliplr = unary(
    jnp.fliplr,
    "Columns in reverse order.",
    "[[1, 2], [3, 4]] -> [[2, 1], [4, 3]]",
    x="array of at least two axes.",
)
flipud = unary(
    jnp.flipud,
    "Rows in reverse order.",
    "[[1, 2], [3, 4]] -> [[3, 4], [1, 2]]",
    x="array of at least one axis.",
)
ravel = unary(
    jnp.ravel,
    "All entries along one axis, in row-major order.",
    "[[1, 2], [3, 4]] -> [1, 2, 3, 4]",
    returns="array of one axis.",
)


@op
def broadcast_to(x, shape):
    """`x` repeated along new axes and those of size 1 until it has a shape.

    Args:
        x: array that broadcasts to `shape`.
        shape: tuple of ints.

    Returns:
        Array of `shape`.

    >>> broadcast_to([[1], [2]], (2, 3)).tolist()
    [[1, 1, 1], [2, 2, 2]]
    """
    return jnp.broadcast_to(as_array(x), shape)


@op(spec=small_sizes_too)
def diagonal(x, offset=0, axis1=0, axis2=1):
    """A diagonal of two axes.

    Args:
        x: array of at least two axes.
        offset: int, the diagonal: 0 is the main one, positive ones lie above it.
        axis1: int, the axis of the rows.
        axis2: int, the axis of the columns.

    Returns:
        Array with the diagonal along a new last axis in place of both axes.

    Raises:
        ValueError: the axes are equal or out of range.

    >>> diagonal([[1, 2], [3, 4]], offset=1).tolist()
    [2]
    """
    x = as_array(x)
    axes = normalize_axis(axis1, x.ndim), normalize_axis(axis2, x.ndim)
    if axes[0] == axes[1]:
        raise ValueError(
            f"diagonal: `axis1` and `axis2` must differ, got {axis1} and {axis2} of "
            f"{x.ndim} axes."
        )
    return jnp.diagonal(x, offset, *axes)


@op
@by_jax
def expand_dims(x, axis):
    """`x` with new axes of size 1.

    Args:
        x: array of any shape.
        axis: int, or tuple of ints: the places of the new axes in the result.

    Returns:
        Array with more axes.

    >>> expand_dims([1, 2], -1).shape
    (2, 1)
    """
    return jnp.expand_dims(as_array(x), as_axes(axis))


@op
def flip(x, axis=None):
    """The entries in reverse order along axes.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.

    Returns:
        Array of the shape of `x`.

    >>> flip([[1, 2], [3, 4]], axis=1).tolist()
    [[2, 1], [4, 3]]
    """
    return jnp.flip(as_array(x), axis)


@op
def moveaxis(x, source, destination):
    """`x` with some axes moved to other places.

    Args:
        x: array of any shape.
        source: int, or tuple of ints: the axes to move.
        destination: int, or tuple of ints: their places in the result.

    Returns:
        Array with the axes in another order.

    >>> moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return jnp.moveaxis(as_array(x), source, destination)


# `jnp.pad` would raise NotImplementedError, without naming the modes.
_PAD_MODES = tuple(
    "constant edge empty linear_ramp maximum mean median minimum reflect symmetric "
    "wrap".split()
)


@op(tensors=("x", "constant_values"))
def pad(x, pad_width, mode="constant", constant_values=None):
    """`x` with entries added at both ends of each axis.

    Args:
        x: array of any shape.
        pad_width: ((before, after), …), a pair for each axis; or one pair or one int
            for all axes.
        mode: "constant", "edge", "empty", "linear_ramp", "maximum", "mean", "median",
            "minimum", "reflect", "symmetric" or "wrap", as in `numpy.pad`.
        constant_values: the number that "constant" adds, 0 by default.

    Returns:
        Array of the dtype of `x`, longer along its axes.

    Raises:
        ValueError: an unknown `mode`, or `constant_values` for another mode.

    >>> pad([[1, 2]], ((0, 1), (1, 0)), constant_values=9).tolist()
    [[9, 1, 2], [9, 9, 9]]
    """
    x = as_array(x)
    if mode not in _PAD_MODES:
        raise ValueError(f"pad: mode must be one of {_PAD_MODES}, got {mode!r}.")
    width = _pad_width(pad_width, x.ndim)
    if constant_values is None:
        return jnp.pad(x, width, mode)
    if mode != "constant":
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`"
            f": got constant_values={constant_values!r} and mode={mode!r}."
        )
    return jnp.pad(x, width, mode, constant_values=as_array(constant_values))


def _pad_width(pad_width, ndim):
    """A (before, after) pair for each axis."""
    if isinstance(pad_width, int):
        return ((pad_width, pad_width),) * ndim
    if len(pad_width) == 2 and isinstance(pad_width[0], int):
        return (tuple(pad_width),) * ndim
    if len(pad_width) == 1 and ndim != 1:
        return _pad_width(pad_width[0], ndim)
    return tuple(tuple(pair) for pair in pad_width)


def _reshape_spec(trace, x, newshape):
    """Unknown sizes where they are computed in the graph."""
    if not any_symbolic((newshape,)):
        return trace(x)
    sparse = x.sparse if isinstance(x, KerasTensor) else is_sparse(x)
    if isinstance(newshape, KerasTensor):
        return KerasTensor((None,) * newshape.shape[0], dtype(x), sparse)
    sizes = (n if isinstance(n, int) and n >= 0 else None for n in newshape)
    return KerasTensor(tuple(sizes), dtype(x), sparse)


@op(tensors=("x", "newshape"), symbolic_sizes=("newshape",), spec=_reshape_spec)
@by_jax
def reshape(x, newshape):
    """The entries in the same order in another shape.

    Args:
        x: array of any shape.
        newshape: tuple of ints, one of which may be -1 (or None) for the size that
            follows from the others. Outside of `jit` also an array of ints.

    Returns:
        Array of `newshape`.

    Raises:
        ValueError: a negative size other than -1, or more than one -1.

    >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
    [[1, 2], [3, 4]]
    """
    if isinstance(newshape, (list, tuple)):
        # Shapes of KerasTensors have None for a size that follows from the others.
        newshape = [-1 if n is None else n for n in newshape]
        _check_newshape(newshape)
    elif hasattr(newshape, "shape"):
        newshape = np.asarray(newshape).reshape(-1).tolist()
    return jnp.reshape(as_array(x), newshape)


def _check_newshape(newshape):
    """ValueError for sizes below -1 and for more than one -1."""
    sizes = [n for n in newshape if isinstance(n, (int, np.integer))]
    if any(n < -1 for n in sizes):
        raise ValueError(
            "reshape: each size in `newshape` must be a non-negative integer, or -1 "
            f"for one that follows. Received: newshape={tuple(newshape)}."
        )
    if sizes.count(-1) > 1:
        raise ValueError(
            "reshape: there can be at most one unknown dimension (-1). Received: "
            f"newshape={tuple(newshape)}."
        )


@op
def roll(x, shift, axis=None):
    """The entries shifted along axes; those shifted out enter at the other end.

    Args:
        x: array of any shape.
        shift: int, or tuple of ints, one for each of `axis`; positive to the end.
        axis: int, tuple of ints, or None for the flattened array.

    Returns:
        Array of the shape of `x`.

    >>> roll([1, 2, 3, 4], 1).tolist()
    [4, 1, 2, 3]
    """
    return jnp.roll(as_array(x), shift, axis)


@op(tensors=("array",))
def rot90(array, k=1, axes=(0, 1)):
    """The array rotated by k · 90° in the plane of two axes.

    Args:
        array: array of at least two axes.
        k: int; positive from the first of `axes` towards the second.
        axes: pair of ints.

    Returns:
        Array with both sizes exchanged if k is odd.

    Raises:
        ValueError: fewer than two axes, or equal `axes`.

    >>> rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    array = as_array(array)
    if array.ndim < 2:
        raise ValueError(f"rot90: expected two axes or more, got {array.shape}.")
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError(f"rot90: expected two different axes, got {axes}.")
    return jnp.rot90(array, k, tuple(axes))


def _squeeze_spec(trace, x, axis=None):
    """Refuse axes of unknown size, then trace."""
    # A trace takes another number for None, whose message would be about that number.
    axes = axis if isinstance(axis, (list, tuple)) else () if axis is None else (axis,)
    unknown = [a for a in axes if -x.ndim <= a < x.ndim and x.shape[a] is None]
    if unknown:
        raise ValueError(
            f"squeeze: axis {unknown[0]} of shape {x.shape} is not known to have size "
            "1. Give the size to `Input`, or take x[..., 0] of that axis."
        )
    return trace(x)


@op(spec=_squeeze_spec)
@by_jax
def squeeze(x, axis=None):
    """`x` without axes of size 1.

    Args:
        x: array of any shape.
        axis: int, or tuple of ints: axes of size 1; None for all of them.

    Returns:
        Array with fewer axes.

    Raises:
        ValueError: an axis in `axis` has another size.

    >>> squeeze([[[1], [2]]], axis=0).tolist()
    [[1], [2]]
    """
    return jnp.squeeze(as_array(x), as_axes(axis))


@op
def swapaxes(x, axis1, axis2):
    """`x` with two axes exchanged.

    Args:
        x: array of any shape.
        axis1: int.
        axis2: int.

    Returns:
        Array with both axes exchanged.

    Raises:
        ValueError: an axis is out of range.

    >>> swapaxes([[1, 2, 3]], 0, 1).tolist()
    [[1], [2], [3]]
    """
    x = as_array(x)
    return jnp.swapaxes(x, normalize_axis(axis1, x.ndim), normalize_axis(axis2, x.ndim))


@op
@by_jax
def transpose(x, axes=None):
    """`x` with its axes in another order.

    Args:
        x: array of any shape.
        axes: tuple of ints, axis i of the result is axis axes[i] of `x`; the reverse
            order by default.

    Returns:
        Array with permuted axes.

    Raises:
        ValueError: `axes` is no permutation of the axes.

    >>> transpose([[1, 2, 3]]).tolist()
    [[1], [2], [3]]
    """
    x = as_array(x)
    if axes is not None:
        _check_permutation(axes, x.ndim)
    return jnp.transpose(x, axes)


def _check_permutation(axes, ndim):
    """ValueError unless `axes` holds each axis once."""
    # The words are those of Keras, which users search for.
    if len(axes) != ndim:
        raise ValueError(
            f"transpose: `axes` must be a list of the same length as the input shape, "
            f"which has {ndim} axes. Received: axes={axes}."
        )
    if not all(-ndim <= axis < ndim for axis in axes):
        raise ValueError(
            f"transpose: Each axis in `axes` must be an integer in [{-ndim}, {ndim}). "
            f"Received: axes={axes}."
        )
    if len({axis % ndim for axis in axes}) != ndim:
        raise ValueError(
            f"transpose: `axes` must be a valid permutation of the {ndim} axes. "
            f"Received: axes={axes}."
        )

"""Functions that move, join, split and repeat entries without computing."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic, op, small_sizes_too
from minikeras.core.variable import is_sparse
from minikeras.ops.convert import as_array, as_operand, dtype, unary
from minikeras.ops.sparse import by_jax, on_entries

copy = unary(jnp.copy, "A copy of `x`.", "copy", sparse=on_entries)
fliplr = unary(jnp.fliplr, "Columns in reverse order.")
flipud = unary(jnp.flipud, "Rows in reverse order.")
ravel = unary(jnp.ravel, "All entries in one axis.")


@op
def append(x1, x2, axis=None):
    """`x2` after `x1` along `axis`; None flattens both first."""
    x1, x2 = promote(x1, x2)
    return jnp.append(x1, x2, axis)


def promote(*xs):
    """Array-likes -> arrays of their common dtype; Python numbers take no width."""
    xs = list(map(as_operand, xs))
    if len({getattr(x, "dtype", None) for x in xs}) == 1 and hasattr(xs[0], "dtype"):
        return xs
    dtype = jnp.result_type(*xs)
    return [as_array(x).astype(dtype) for x in xs]


@op
def array_split(x, indices_or_sections, axis=0):
    """Split into parts whose sizes differ by at most 1 -> list."""
    if not isinstance(indices_or_sections, int):
        raise TypeError(
            "array_split: Argument `indices_or_sections` must be of type `int`, got "
            f"{indices_or_sections!r}. Use `split` to split at indices."
        )
    return jnp.array_split(as_array(x), indices_or_sections, axis)


@op
def broadcast_to(x, shape):
    """`x` repeated along axes of size 1 and new ones to get `shape`."""
    return jnp.broadcast_to(as_array(x), shape)


def _concatenate_spec(trace, xs, axis=0):
    """Keras's graphs have no `axis=None`."""
    if axis is None:
        raise ValueError(
            "concatenate: KerasTensors are joined along one axis, got axis=None. "
            "Flatten them first, by `reshape(x, -1)`."
        )
    return trace(xs)


@op(spec=_concatenate_spec)
@by_jax
def concatenate(xs, axis=0):
    """Arrays joined along an axis that they have.

    >>> concatenate([[1, 2], [3]]).tolist()
    [1, 2, 3]
    """
    return jnp.concatenate(promote(*xs), axis)


@op
def stack(x, axis=0):
    """Arrays of one shape joined along a new axis."""
    return jnp.stack(promote(*x), axis)


@op
def hstack(xs):
    """Arrays joined along axis 1, or 0 if they have no other."""
    return jnp.hstack(promote(*xs))


@op
def vstack(xs):
    """Arrays joined along axis 0, which those of one axis get as new."""
    return jnp.vstack(promote(*xs))


@op
def dstack(xs):
    """Arrays joined along axis 2, made where missing."""
    return jnp.dstack(promote(*xs))


@op(spec=small_sizes_too)
def diagonal(x, offset=0, axis1=0, axis2=1):
    """Entries of the diagonal of two axes, along a new last axis."""
    x = as_array(x)
    axes = axis_within(axis1, x.ndim), axis_within(axis2, x.ndim)
    if axes[0] == axes[1]:
        raise ValueError(
            f"diagonal: `axis1` and `axis2` must differ, got {axis1} and {axis2} of "
            f"{x.ndim} axes."
        )
    return jnp.diagonal(x, offset, *axes)


@op
@by_jax
def expand_dims(x, axis):
    """New axes of size 1 at the positions `axis` of the result.

    >>> expand_dims([1, 2], -1).shape
    (2, 1)
    """
    return jnp.expand_dims(as_array(x), tuple(axis) if isinstance(axis, list) else axis)


@op
def flip(x, axis=None):
    """Reverse order along `axis`, None for all."""
    return jnp.flip(as_array(x), axis)


@op
def moveaxis(x, source, destination):
    """Axes `source` moved to positions `destination`."""
    return jnp.moveaxis(as_array(x), source, destination)


def axis_within(axis, ndim):
    """The axis, counted from the front; ValueError if there is none such."""
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"axis {axis} is out of bounds for an array with dimension {ndim}."
        )
    return axis % ndim


_PAD_MODES = (
    *("constant", "edge", "empty", "linear_ramp", "maximum", "mean", "median"),
    *("minimum", "reflect", "symmetric", "wrap"),
)


@op(tensors=("x", "constant_values"))
def pad(x, pad_width, mode="constant", constant_values=None):
    """Entries added at both ends of each axis.

    Args:
        x: array.
        pad_width: ((before, after), …) per axis, or one pair or number for all.
        mode: "constant", "reflect", "symmetric", or another mode of `jax.numpy.pad`.
        constant_values: what "constant" fills in, 0 by default.
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
    if isinstance(pad_width, int):
        return ((pad_width, pad_width),) * ndim
    if len(pad_width) == 2 and isinstance(pad_width[0], int):
        return (tuple(pad_width),) * ndim
    if len(pad_width) == 1 and ndim != 1:
        return _pad_width(pad_width[0], ndim)
    return tuple(tuple(pair) for pair in pad_width)


def _repeat_spec(trace, x, repeats, axis=None):
    """As in Keras a list of repeats does not tell an unknown size."""
    out = trace(x)
    if axis is None or x.shape[axis] is not None:
        return out
    shape = list(out.shape)
    shape[axis] = None
    return KerasTensor(shape, out.dtype)


@op(tensors=("x",), spec=_repeat_spec)
def repeat(x, repeats, axis=None):
    """Each entry `repeats` times in a row; None flattens first."""
    # Numbers of repeats stay numpy's under a trace: they decide the shape.
    repeats = repeats if isinstance(repeats, jax.Array) else np.asarray(repeats)
    return jnp.repeat(as_array(x), repeats, axis)


def _reshape_spec(trace, x, newshape):
    """Sizes that are computed in the graph are not known."""
    if not any_symbolic((newshape,)):
        return trace(x)
    sparse = x.sparse if isinstance(x, KerasTensor) else is_sparse(x)
    if isinstance(newshape, KerasTensor):
        return KerasTensor((None,) * newshape.shape[0], dtype(x), sparse)
    sizes = (n if isinstance(n, int) and n >= 0 else None for n in newshape)
    return KerasTensor(tuple(sizes), dtype(x), sparse)


@op(tensors=("x", "newshape"), symbolic=("newshape",), spec=_reshape_spec)
@by_jax
def reshape(x, newshape):
    """The entries in the same order in another shape; one size may be -1 (or None).

    Outside of `jit` the new shape may be an array of ints, or hold such arrays.

    >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
    [[1, 2], [3, 4]]
    """
    if isinstance(newshape, (list, tuple)):
        newshape = [-1 if n is None else n for n in newshape]
        _check_newshape(newshape)
    elif hasattr(newshape, "shape"):
        newshape = np.asarray(newshape).reshape(-1).tolist()
    return jnp.reshape(as_array(x), newshape)


def _check_newshape(newshape):
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
    """Entries moved by `shift`, those that fall off enter at the other end."""
    return jnp.roll(as_array(x), shift, axis)


@op(tensors=("array",))
def rot90(array, k=1, axes=(0, 1)):
    """Rotate by k · 90° from the first of `axes` towards the second."""
    array = as_array(array)
    if array.ndim < 2:
        raise ValueError(f"rot90: expected two axes or more, got {array.shape}.")
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError(f"rot90: expected two different axes, got {axes}.")
    return jnp.rot90(array, k, tuple(axes))


def _splitter(function, doc):
    def call(x, indices_or_sections):
        return function(as_array(x), indices_or_sections)

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = doc
    return op(call)


dsplit = _splitter(jnp.dsplit, "`split` along axis 2.")
hsplit = _splitter(jnp.hsplit, "`split` along axis 1, or 0 if there is no other.")
vsplit = _splitter(jnp.vsplit, "`split` along axis 0.")


@op
def split(x, indices_or_sections, axis=0):
    """Split into a number of equal parts, or at indices -> list.

    >>> [part.tolist() for part in split([1, 2, 3, 4], [1, 3])]
    [[1], [2, 3], [4]]
    """
    x = as_array(x)
    return jnp.split(x, indices_or_sections, axis_within(axis, x.ndim))


def _squeeze_spec(trace, x, axis=None):
    """A size that is not known is not taken for 1."""
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
    """Axes of size 1 taken away, all or those in `axis`."""
    return jnp.squeeze(as_array(x), tuple(axis) if isinstance(axis, list) else axis)


@op
def swapaxes(x, axis1, axis2):
    """Two axes exchanged."""
    x = as_array(x)
    return jnp.swapaxes(x, axis_within(axis1, x.ndim), axis_within(axis2, x.ndim))


@op
def tile(x, repeats):
    """The whole array repeated along each axis."""
    return jnp.tile(as_array(x), repeats)


@op
@by_jax
def transpose(x, axes=None):
    """Axes in the order `axes`, reversed by default."""
    x = as_array(x)
    if axes is not None:
        _check_permutation(axes, x.ndim)
    return jnp.transpose(x, axes)


def _check_permutation(axes, ndim):
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


def _unstack_spec(trace, x, num=None, axis=0):
    if num is None and -x.ndim <= axis < x.ndim and x.shape[axis] is None:
        raise ValueError(
            f"unstack: Cannot infer argument `num` from shape {x.shape}, whose axis "
            f"{axis} is unknown. Pass num=."
        )
    if num is None or x.shape[axis] is not None:
        return trace(x)
    shape = list(x.shape)
    shape.pop(axis)
    return [KerasTensor(shape, x.dtype) for _ in range(num)]


@op(module="keras.src.ops.core", spec=_unstack_spec)
def unstack(x, num=None, axis=0):
    """The slices along an axis -> list of arrays without it.

    >>> [row.tolist() for row in unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = as_array(x)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"unstack: axis {axis} is out of bounds for shape {x.shape}.")
    count = x.shape[axis]
    if num is not None and num != count:
        raise ValueError(f"unstack: axis {axis} has {count} slices, not num={num}.")
    return [jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(count)]


def _complex_spec(trace, x):
    """A last size that is not known will be 2."""
    if x.shape[-1:] == (None,):
        x = KerasTensor((*x.shape[:-1], 2), x.dtype)
    return trace(x)


@op(module="keras.src.ops.math", spec=_complex_spec)
def view_as_complex(x):
    """(…, 2) real and imaginary parts -> complex (…)."""
    x = as_array(x)
    if x.ndim < 1 or x.shape[-1] != 2:
        raise ValueError(
            f"Last dimension of input must be size 2. Received: shape={x.shape}"
        )
    return jax.lax.complex(x[..., 0], x[..., 1])


@op(module="keras.src.ops.math")
def view_as_real(x):
    """Complex (…) -> (…, 2), real and imaginary parts."""
    x = as_array(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)

"""Slices and entries of an array, read, replaced and added."""

import jax
import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.loading import reserve
from minikeras.core.symbolic import any_symbolic, op
from minikeras.ops.convert import as_array, dtype
from minikeras.ops.keras_modules import CORE

__all__ = [
    "scatter", "scatter_update", "slice", "slice_update", "unstack",
]  # fmt: skip
_MOST_AXES = 64  # NumPy's limit


def _slice_spec(trace, inputs, start_indices, shape):
    """Unknown sizes for -1 with symbolic starts: the end depends on their values."""
    if -1 not in shape or not any_symbolic((start_indices,)):
        return trace(inputs, start_indices)
    _check_ranks(inputs, start_indices, shape)
    sizes = (None if size == -1 else size for size in shape)
    return KerasTensor(tuple(sizes), dtype(inputs))


def _check_ranks(inputs, starts, shape):
    count = starts.shape[0] if hasattr(starts, "shape") else len(starts)
    if len(shape) != len(inputs.shape):
        raise ValueError(
            "slice: the number of dimensions in `inputs` must match the number of "
            f"dimensions in `shape`, got shape {tuple(inputs.shape)} and {shape}."
        )
    if count != len(inputs.shape):
        raise ValueError(
            "slice: the number of dimensions in `start_indices` must match the number "
            f"of dimensions in `inputs`, got {count} and shape {tuple(inputs.shape)}."
        )


# In the rest of this file `slice` is the op, not Python's.
@op(tensors=("inputs", "start_indices"), module=CORE, spec=_slice_spec)
def slice(inputs, start_indices, shape):
    """The block of a given shape that starts at given indices.

    Args:
        inputs: array of any shape.
        start_indices: list or array of ints, one for each axis. Starts are shifted so
            that the block lies inside of `inputs`.
        shape: sizes of the block, one for each axis; -1 reaches to the end.

    Returns:
        Array of `shape`.

    Raises:
        ValueError: not one start and one size for each axis.

    >>> slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).tolist()
    [[2, 3], [5, 6]]
    """
    inputs, starts = as_array(inputs), _starts(start_indices)
    _check_ranks(inputs, starts, shape)
    # -1 reaches to the end. Its size must be an int, so that start is no tracer.
    shape = [
        int(end - start) if size == -1 else size
        for end, start, size in zip(inputs.shape, starts, shape, strict=True)
    ]
    return jax.lax.dynamic_slice(inputs, starts, shape)


@op(tensors=("inputs", "start_indices", "updates"), module=CORE)
def slice_update(inputs, start_indices, updates):
    """`inputs` with a block replaced.

    Args:
        inputs: array of any shape.
        start_indices: list or array of ints, one for each axis. Starts are shifted so
            that the block lies inside of `inputs`.
        updates: array with as many axes, the block.

    Returns:
        Array of the shape and dtype of `inputs`.

    >>> slice_update([[1, 2, 3], [4, 5, 6]], [0, 1], [[7, 8]]).tolist()
    [[1, 7, 8], [4, 5, 6]]
    """
    return jax.lax.dynamic_update_slice(
        as_array(inputs), as_array(updates), _starts(start_indices)
    )


def _starts(indices):
    """One start for each axis, as a sequence."""
    if isinstance(indices, (list, tuple)):
        return indices
    indices = as_array(indices).astype("int32")
    if indices.ndim != 1 or indices.size > _MOST_AXES:
        raise ValueError(
            f"Expected a start for each axis, got {indices.shape} of them."
        )
    return tuple(indices)


def _scatter_spec(trace, indices, values, shape):
    """The given shape, also if the number of indexed axes is unknown."""
    if isinstance(indices, KerasTensor) and indices.shape[-1:] == (None,):
        return KerasTensor(shape, dtype(values))
    return trace(indices, values)


@op(tensors=("indices", "values"), module=CORE, spec=_scatter_spec)
def scatter(indices, values, shape):
    """An array of zeros with values added at indices.

    Args:
        indices: (…, k) ints, indices into the first k axes. Values at equal indices
            are summed; those out of range are dropped.
        values: (…, rest of the shape) array.
        shape: tuple of ints, the shape of the result.

    Returns:
        Array of `shape` and the dtype of `values`.

    >>> scatter([[0], [2]], [5.0, 6.0], (3,)).tolist()
    [5.0, 0.0, 6.0]
    """
    values = as_array(values)
    return _at(jnp.zeros(shape, values.dtype), indices).add(values)


def _scatter_update_spec(trace, inputs, indices, updates, **config):
    """The shape of the inputs, also if the number of indexed axes is unknown."""
    del config
    if isinstance(indices, KerasTensor) and indices.shape[-1:] == (None,):
        return KerasTensor(
            inputs.shape if hasattr(inputs, "shape") else as_array(inputs).shape,
            dtype(inputs),
        )
    return trace(inputs, indices, updates)


@op(tensors=("inputs", "indices", "updates"), module=CORE, spec=_scatter_update_spec)
def scatter_update(inputs, indices, updates, reduction=None):
    """`inputs` with values set or combined at indices.

    Args:
        inputs: array of any shape.
        indices: (…, k) ints, indices into the first k axes.
        updates: (…, rest of the shape) array.
        reduction: None to set the values, or "add", "max", "min" or "mul" to combine
            them with the entries that are there.

    Returns:
        Array of the shape and dtype of `inputs`.

    Raises:
        ValueError: an unknown `reduction`.

    >>> scatter_update([1, 2, 3], [[0], [2]], [5, 6], reduction="add").tolist()
    [6, 2, 9]
    """
    inputs = as_array(inputs)
    # JAX would warn of a wider dtype and cast it in the same way.
    updates = as_array(updates).astype(inputs.dtype)
    if reduction not in (None, "add", "max", "min", "mul"):
        raise ValueError(
            "scatter_update: reduction must be None, 'add', 'max', 'min' or 'mul', "
            f"got {reduction!r}."
        )
    return getattr(_at(inputs, indices), reduction or "set")(updates)


def _at(x, indices):
    """`x.at` the index tuples along the last axis of `indices`."""
    # One array for each indexed axis, which is how JAX addresses single entries.
    return x.at[tuple(jnp.moveaxis(as_array(indices).astype("int32"), -1, 0))]


def _unstack_spec(trace, x, num=None, axis=0):
    """As many KerasTensors as `num` says if the size along `axis` is unknown."""
    if num is None and -x.ndim <= axis < x.ndim and x.shape[axis] is None:
        raise ValueError(
            f"unstack: Cannot infer argument `num` from shape {x.shape}, whose axis "
            f"{axis} is unknown. Pass num=."
        )
    if num is None or x.shape[axis] is not None:
        return trace(x)
    shape = list(x.shape)
    shape.pop(axis)
    reserve(100 * num, f"unstack with num={num}")
    return [KerasTensor(shape, x.dtype) for _ in range(num)]


@op(module=CORE, spec=_unstack_spec)
def unstack(x, num=None, axis=0):
    """The slices along an axis, as a list.

    Args:
        x: array of at least one axis.
        num: int, the size along `axis`; needed if that is unknown in a graph.
        axis: int.

    Returns:
        List of `num` arrays without `axis`.

    Raises:
        ValueError: there is no such axis, or its size is not `num`.

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

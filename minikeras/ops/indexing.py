"""Functions that pick, place, sort and search entries."""

import builtins
import math

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import any_symbolic, op, small_sizes_too
from minikeras.core.variable import Variable
from minikeras.ops.convert import CORE, as_array, as_operand, dtype
from minikeras.ops.sparse import on_entries


def _get_item_spec(trace, x, key=None, **config):
    """JAX clips an index that is out of range; in a graph it is a mistake."""
    keys = key if isinstance(key, tuple) else (key,)
    plain = (int, builtins.slice, type(None), type(...))
    if all(isinstance(k, plain) for k in keys):
        # Numpy refuses what does not fit; an unknown size fits every index.
        room = 1 + max((abs(k) for k in keys if isinstance(k, int)), default=0)
        sizes = [room if size is None else size for size in x.shape]
        np.broadcast_to(np.int8(0), sizes)[key]
    return small_sizes_too(trace, x, key, **config)


@op(tensors=("x", "key"), spec=_get_item_spec)
def get_item(x, key):
    """x[key]: ints, slices, `...`, None and index arrays.

    >>> get_item([[1, 2], [3, 4]], (..., 0)).tolist()
    [1, 3]
    """
    return as_array(x)[_index(key)]


def _index(key):
    # A list is an index array, but in graphs read from files it is a tuple.
    if isinstance(key, tuple) or isinstance(key, list) and not is_number_list(key):
        return tuple(map(_index, key))
    return as_array(key) if isinstance(key, (list, Variable)) else key


def is_number_list(key):
    """Is it a (nested) list of numbers?"""
    return all(
        is_number_list(k) if isinstance(k, list) else isinstance(k, (int, np.number))
        for k in key
    )


@op(tensors=("x", "indices"))
def take(x, indices, axis=None):
    """The slices at `indices` along `axis`; None flattens `x` first.

    >>> take([[1, 2], [3, 4]], [1, 1, 0], axis=0).tolist()
    [[3, 4], [3, 4], [1, 2]]
    """
    return jnp.take(as_array(x), as_array(indices), axis)


@op(tensors=("x", "indices"))
def take_along_axis(x, indices, axis=None):
    """The entry at each index along `axis`, in its own lane."""
    return jnp.take_along_axis(as_array(x), as_array(indices), axis)


@op
def argsort(x, axis=-1):
    """Indices that sort `x` along `axis`, int32; None flattens first."""
    x = as_array(x)
    return jnp.argsort(x, axis if x.ndim else None)


@op
def sort(x, axis=-1):
    """Entries in ascending order along `axis`."""
    return jnp.sort(as_array(x), axis)


@op
def argpartition(x, kth, axis=-1):
    """Indices that put entry `kth` in its sorted place, smaller ones before it."""
    x = as_array(x)
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    return jnp.argpartition(x, kth, axis).astype("int32")


@op(name="SearchSorted", tensors=("sorted_sequence", "values"))
def searchsorted(sorted_sequence, values, side="left"):
    """Where `values` would be inserted in a sorted array of one axis."""
    sequence = as_array(sorted_sequence)
    if sequence.ndim != 1:
        raise ValueError(
            "searchsorted: expected a sorted array of one axis, got shape "
            f"{sequence.shape}."
        )
    return jnp.searchsorted(sequence, as_array(values), side=side)


@op(tensors=("x", "bins"))
@on_entries
def digitize(x, bins):
    """Number of the bin that each entry falls in; bins are increasing bounds."""
    return jnp.digitize(as_array(x), as_array(bins))


def _indices_of_true(trace, x):
    """How many entries are not 0 is not known."""
    del trace
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@op(spec=_indices_of_true)
def nonzero(x):
    """Indices of the entries that are not 0 -> tuple, one array per axis."""
    return jnp.nonzero(as_array(x))


@op(tensors=("condlist", "choicelist", "default"))
def select(condlist, choicelist, default=0):
    """The choice of the first condition that holds, elementwise, or the default."""
    return jnp.select(
        [as_array(x) for x in condlist],
        [as_array(x) for x in choicelist],
        as_operand(default),
    )


@op(name="IsIn", tensors=("x1", "x2"))
def isin(x1, x2, assume_unique=False, invert=False):
    """Is the entry of `x1` one of `x2`?"""
    return jnp.isin(as_array(x1), as_array(x2), assume_unique, invert)


def _unique_spec(trace, x, axis=None, size=None, **config):
    """Symbolic outputs of `unique`: how many entries differ is known as `size` only."""
    if size is not None:
        return trace(x)
    rest = () if axis is None else tuple(np.delete(x.shape, axis).tolist())
    values = (None,) if axis is None else list(rest)
    if axis is not None:
        values.insert(axis % x.ndim, None)
    outputs = [KerasTensor(values, x.dtype)]
    for key in ("return_index", "return_inverse", "return_counts"):
        if config[key]:
            shape = (None,)
            if key == "return_inverse":
                shape = x.shape if axis is None else (x.shape[axis],)
            outputs.append(KerasTensor(shape, "int32"))
    return tuple(outputs) if len(outputs) > 1 else outputs[0]


@op(tensors=("x",), spec=_unique_spec)
def unique(
    x,
    sorted=True,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    size=None,
    fill_value=None,
):
    """The different entries, ascending [with indices, inverse and counts].

    Args:
        x: array.
        sorted: always true.
        return_index, return_inverse, return_counts: return these arrays too.
        axis: compare the slices along it; None flattens.
        size: number of results, fixed so that it can run under `jit`.
        fill_value: what fills up to `size`.
    """
    del sorted
    return jnp.unique(
        as_array(x),
        return_index,
        return_inverse,
        return_counts,
        axis,
        equal_nan=False,
        size=size,
        fill_value=fill_value,
    )


@op(tensors=("indices",))
def unravel_index(indices, shape):
    """Flat indices -> tuple of indices per axis of `shape`."""
    return jnp.unravel_index(as_array(indices), shape)


@op(tensors=("x",), module="keras.src.ops.math")
def top_k(x, k, sorted=True):
    """The k greatest entries of the last axis and their indices -> [values, indices].

    >>> values, indices = top_k([1.0, 5.0, 3.0], 2)
    >>> values.tolist(), indices.tolist()
    ([5.0, 3.0], [1, 2])
    """
    del sorted  # they are
    return jax.lax.top_k(as_array(x), k)


@op(tensors=("targets", "predictions"), module="keras.src.ops.math")
def in_top_k(targets, predictions, k):
    """Is the target class among the k most probable ones?

    Args:
        targets: (batch,) class indices.
        predictions: (batch, classes).
        k: int.

    Returns:
        (batch,) bools. Ties with the target count for it; a target that is out of
        range counts as least probable.
    """
    targets, predictions = as_array(targets).astype("int32"), as_array(predictions)
    own = jnp.take_along_axis(predictions, targets[..., None], axis=-1)
    own = jnp.where(jnp.isnan(own), -jnp.inf, own)
    rank = 1 + jnp.sum((predictions > own).astype("int32"), axis=-1)
    return rank <= k


def _scatter_spec(trace, indices, values, shape):
    """The shape is given; how many axes are indexed need not be known."""
    if isinstance(indices, KerasTensor) and indices.shape[-1:] == (None,):
        return KerasTensor(shape, dtype(values))
    return trace(indices, values)


@op(tensors=("indices", "values"), module=CORE, spec=_scatter_spec)
def scatter(indices, values, shape):
    """Zeros of `shape` with `values` added at `indices`.

    Args:
        indices: (…, k) index tuples into the first k axes.
        values: (…, rest of the shape).
        shape: of the result.

    >>> scatter([[0], [2]], [5.0, 6.0], (3,)).tolist()
    [5.0, 0.0, 6.0]
    """
    values = as_array(values)
    return _at(jnp.zeros(shape, values.dtype), indices).add(values)


def _scatter_update_spec(trace, inputs, indices, updates, **config):
    del config
    if isinstance(indices, KerasTensor) and indices.shape[-1:] == (None,):
        return KerasTensor(
            inputs.shape if hasattr(inputs, "shape") else as_array(inputs).shape,
            dtype(inputs),
        )
    return trace(inputs, indices, updates)


@op(tensors=("inputs", "indices", "updates"), module=CORE, spec=_scatter_update_spec)
def scatter_update(inputs, indices, updates, reduction=None):
    """`inputs` with `updates` set, or combined by a reduction, at `indices`.

    Args:
        inputs: array.
        indices: (…, k) index tuples into the first k axes.
        updates: (…, rest of the shape).
        reduction: None sets; "add", "max", "min" or "mul".
    """
    inputs = as_array(inputs)
    updates = as_array(updates).astype(inputs.dtype)
    if reduction not in (None, "add", "max", "min", "mul"):
        raise ValueError(
            "scatter_update: reduction must be None, 'add', 'max', 'min' or 'mul', "
            f"got {reduction!r}."
        )
    return getattr(_at(inputs, indices), reduction or "set")(updates)


def _at(x, indices):
    return x.at[tuple(jnp.moveaxis(as_array(indices).astype("int32"), -1, 0))]


def _slice_spec(trace, inputs, start_indices, shape):
    """Where the end is at depends on starts that are not known yet."""
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


@op(tensors=("inputs", "start_indices"), module=CORE, spec=_slice_spec)
def slice(inputs, start_indices, shape):
    """The block of `shape` that begins at `start_indices`; -1: up to the end."""
    inputs, starts = as_array(inputs), _starts(start_indices)
    _check_ranks(inputs, starts, shape)
    # -1: up to the end, which only a start that is no tracer can tell.
    shape = [
        int(end - start) if size == -1 else size
        for end, start, size in zip(inputs.shape, starts, shape, strict=True)
    ]
    return jax.lax.dynamic_slice(inputs, starts, shape)


@op(tensors=("inputs", "start_indices", "updates"), module=CORE)
def slice_update(inputs, start_indices, updates):
    """`inputs` with the block `updates` put at `start_indices`."""
    return jax.lax.dynamic_update_slice(
        as_array(inputs), as_array(updates), _starts(start_indices)
    )


def _starts(indices):
    if isinstance(indices, (list, tuple)):
        return indices
    return tuple(as_array(indices).astype("int32"))


@op(spec=lambda trace, x: KerasTensor((), "int32"))
def size(x):
    """Number of entries."""
    return math.prod(x.shape if hasattr(x, "shape") else as_array(x).shape)

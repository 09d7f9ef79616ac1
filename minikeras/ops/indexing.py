"""Functions that read entries by their indices."""

import math

import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op, small_sizes_too
from minikeras.core.variable import Variable
from minikeras.ops.convert import as_array

__all__ = [
    "get_item", "nonzero", "size", "take", "take_along_axis", "unravel_index",
]  # fmt: skip


def _get_item_spec(trace, x, key=None, **config):
    """Check plain indices as numpy does, then trace."""
    # JAX clips an index that is out of range. In a graph it is a mistake.
    keys = key if isinstance(key, tuple) else (key,)
    plain = (int, slice, type(None), type(...))
    if all(isinstance(k, plain) for k in keys):
        # numpy raises the error, on an array of one byte. An unknown size fits every
        # index.
        room = 1 + max((abs(k) for k in keys if isinstance(k, int)), default=0)
        sizes = [room if size is None else size for size in x.shape]
        np.broadcast_to(np.int8(0), sizes)[key]
    return small_sizes_too(trace, x, key, **config)


@op(tensors=("x", "key"), spec=_get_item_spec)
def get_item(x, key):
    """x[key].

    Args:
        x: array of any shape.
        key: int, slice, `...`, None, index array, or a tuple of them.

    Returns:
        Array of the entries at `key`.

    >>> get_item([[1, 2], [3, 4]], (..., 0)).tolist()
    [1, 3]
    """
    return as_array(x)[_index(key)]


def _index(key):
    """The key with index arrays in place of lists and Variables."""
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
    """The slices of `x` at the given indices along an axis.

    Args:
        x: array of any shape.
        indices: array of ints; negative ones count from the end.
        axis: int, or None for the flattened array.

    Returns:
        Array with the axes of `indices` in place of `axis`.

    >>> take([[1, 2], [3, 4]], [1, 1, 0], axis=0).tolist()
    [[3, 4], [3, 4], [1, 2]]
    """
    return jnp.take(as_array(x), as_array(indices), axis)


@op(tensors=("x", "indices"))
def take_along_axis(x, indices, axis=None):
    """The entries of `x` at indices that differ from slice to slice.

    Args:
        x: array of any shape.
        indices: array of ints that broadcasts with `x` along all axes but `axis`.
        axis: int, or None for the flattened array.

    Returns:
        Array of the shape of `indices`.

    >>> take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1).tolist()
    [[2], [3]]
    """
    return jnp.take_along_axis(as_array(x), as_array(indices), axis)


def _indices_of_true(trace, x):
    """Unknown sizes: the number of entries that are not 0 depends on the values."""
    del trace
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@op(spec=_indices_of_true)
def nonzero(x):
    """The indices of the entries that are not 0.

    Args:
        x: array of any shape, outside of `jit`.

    Returns:
        Tuple of int32 arrays, the indices along each axis.

    >>> [i.tolist() for i in nonzero([[0, 7], [5, 0]])]
    [[0, 1], [1, 0]]
    """
    return jnp.nonzero(as_array(x))


@op(tensors=("indices",))
def unravel_index(indices, shape):
    """Indices into a flattened array as indices along each axis.

    Args:
        indices: array of ints.
        shape: tuple of ints, the shape of the array.

    Returns:
        Tuple of arrays of the shape of `indices`, one for each axis.

    >>> [i.tolist() for i in unravel_index([5, 2], (2, 3))]
    [[1, 0], [2, 2]]
    """
    return jnp.unravel_index(as_array(indices), shape)


@op(spec=lambda trace, x: KerasTensor((), "int32"))
def size(x):
    """Number of entries.

    Args:
        x: array of any shape.

    Returns:
        Int; an int32 scalar KerasTensor for a KerasTensor.

    >>> size([[1, 2, 3]])
    3
    """
    return math.prod(x.shape if hasattr(x, "shape") else as_array(x).shape)

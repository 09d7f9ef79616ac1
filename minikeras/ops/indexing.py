"""Functions that read entries by their indices."""

import math

import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op, small_sizes_too
from minikeras.core.variable import Variable
from minikeras.ops.convert import as_array

__all__ = [
    "get_item",
    "nonzero",
    "size",
    "take",
    "take_along_axis",
    "unravel_index",
]


def _get_item_spec(trace, x, key=None, **config):
    """JAX clips an index that is out of range; in a graph it is a mistake."""
    keys = key if isinstance(key, tuple) else (key,)
    plain = (int, slice, type(None), type(...))
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


def _indices_of_true(trace, x):
    """How many entries are not 0 is not known."""
    del trace
    return tuple(KerasTensor((None,), "int32") for _ in x.shape)


@op(spec=_indices_of_true)
def nonzero(x):
    """Indices of the entries that are not 0 -> tuple, one array per axis."""
    return jnp.nonzero(as_array(x))


@op(tensors=("indices",))
def unravel_index(indices, shape):
    """Flat indices -> tuple of indices per axis of `shape`."""
    return jnp.unravel_index(as_array(indices), shape)


@op(spec=lambda trace, x: KerasTensor((), "int32"))
def size(x):
    """Number of entries."""
    return math.prod(x.shape if hasattr(x, "shape") else as_array(x).shape)

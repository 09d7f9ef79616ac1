"""Functions that sort entries, search for them and compare sets of them."""

import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.sparse import on_entries

__all__ = [
    "argpartition",
    "argsort",
    "digitize",
    "isin",
    "searchsorted",
    "sort",
    "unique",
]


@op
def sort(x, axis=-1):
    """Entries in ascending order along `axis`."""
    return jnp.sort(as_array(x), axis)


@op
def argsort(x, axis=-1):
    """Indices that sort `x` along `axis`, int32; None flattens first."""
    x = as_array(x)
    return jnp.argsort(x, axis if x.ndim else None)


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

"""Functions that sort entries, search for them and compare sets of them."""

import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.sparse import on_entries

__all__ = [
    "argpartition", "argsort", "digitize", "isin", "searchsorted", "sort", "unique",
]  # fmt: skip


@op
def sort(x, axis=-1):
    """The entries in ascending order along an axis.

    Args:
        x: array of any shape.
        axis: int, or None for the flattened array.

    Returns:
        Array of the shape of `x`; NaN comes last.

    >>> sort([[3, 1, 2], [6, 5, 4]]).tolist()
    [[1, 2, 3], [4, 5, 6]]
    """
    return jnp.sort(as_array(x), axis)


@op
def argsort(x, axis=-1):
    """The indices that sort `x` along an axis; equal entries keep their order.

    Args:
        x: array of any shape.
        axis: int, or None for the flattened array.

    Returns:
        int32 array of the shape of `x`.

    >>> argsort([3.0, 1.0, 2.0]).tolist()
    [1, 2, 0]
    """
    x = as_array(x)
    # A scalar has no axis -1: JAX would refuse it, numpy and Keras give [0].
    return jnp.argsort(x, axis if x.ndim else None)


@op
def argpartition(x, kth, axis=-1):
    """The indices that put entry `kth` in its sorted place and smaller ones before it.

    Args:
        x: array of any shape.
        kth: int, index of an entry in sorted order.
        axis: int, or None for the flattened array.

    Returns:
        int32 array of the shape of `x`.

    >>> argpartition([5, 1, 4, 2], 1).tolist()[1]
    3
    """
    x = as_array(x)
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    # Keras's indices are int32, whatever JAX's default integer is.
    return jnp.argpartition(x, kth, axis).astype("int32")


@op(name="SearchSorted", tensors=("sorted_sequence", "values"))
def searchsorted(sorted_sequence, values, side="left"):
    """The indices at which values can be inserted so that a sequence stays sorted.

    Args:
        sorted_sequence: (n,) ascending array.
        values: array of any shape.
        side: "left" inserts before equal entries, "right" after them.

    Returns:
        int32 array of the shape of `values`, with entries in 0..n.

    Raises:
        ValueError: `sorted_sequence` has not exactly one axis.

    >>> searchsorted([1, 3, 3, 7], [3, 8], side="right").tolist()
    [3, 4]
    """
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
    """The number i of the bin bins[i - 1] <= x < bins[i] in which each entry lies.

    Args:
        x: array of any shape.
        bins: (n,) ascending bounds.

    Returns:
        int32 array of the shape of `x`, with entries in 0..n.

    >>> digitize([0.5, 1.0, 9.0], [1.0, 2.0]).tolist()
    [0, 1, 2]
    """
    return jnp.digitize(as_array(x), as_array(bins))


@op(name="IsIn", tensors=("x1", "x2"))
def isin(x1, x2, assume_unique=False, invert=False):
    """True where an entry of `x1` is among those of `x2`.

    Args:
        x1: array of any shape.
        x2: array of any shape.
        assume_unique: promise that no entry is repeated in either array.
        invert: return the opposite.

    Returns:
        Bools of the shape of `x1`.

    >>> isin([[1, 2], [3, 4]], [2, 4]).tolist()
    [[False, True], [False, True]]
    """
    return jnp.isin(as_array(x1), as_array(x2), assume_unique, invert)


def _unique_spec(trace, x, axis=None, size=None, **config):
    """The KerasTensors of `unique`, of unknown length without `size`."""
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
    """The distinct entries in ascending order.

    Args:
        x: array of any shape, outside of `jit` unless `size` is given.
        sorted: has no effect, the result is always sorted.
        return_index: return the index of the first occurrence of each entry too.
        return_inverse: return for each entry of `x` its place in the result too.
        return_counts: return how often each entry occurs too.
        axis: int, to compare the slices along that axis; None to compare all entries.
        size: int, number of results: others are dropped, or `fill_value` is added.
        fill_value: number; the smallest entry by default.

    Returns:
        Array, or a tuple of it and the int32 arrays that are asked for, in that order.

    >>> values, counts = unique([3, 1, 3], return_counts=True)
    >>> values.tolist(), counts.tolist()
    ([1, 3], [1, 2])
    """
    del sorted  # JAX always sorts
    return jnp.unique(
        as_array(x),
        return_index,
        return_inverse,
        return_counts,
        axis,
        equal_nan=False,  # as in Keras: each NaN is an entry of its own
        size=size,
        fill_value=fill_value,
    )

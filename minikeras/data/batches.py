"""Conversion and description of one batch."""

import functools
from typing import Any

import jax
import numpy as np

from minikeras.data.arrays import is_leaf, to_array_like


def to_batch(batch: Any, copy: bool = False) -> Any:
    """Convert a batch to dense arrays; a list of its parts becomes a tuple.

    Dtypes do not change. Without `copy` the result shares memory with NumPy arrays and
    with tensors of PyTorch and TensorFlow.
    """
    convert = np.array if copy else np.asarray
    if isinstance(batch, (tuple, list)):
        return tuple([_to_arrays(convert, part) for part in batch])
    return _to_arrays(convert, batch)


def _to_arrays(convert, part):
    if isinstance(part, np.ndarray):  # skips the tree_map, which takes longer
        return _to_array(convert, part)
    leaf_to_array = functools.partial(_to_array, convert)
    return jax.tree_util.tree_map(leaf_to_array, part, is_leaf=is_leaf)


def _to_array(convert, leaf):
    """Convert a leaf to an array; raise ValueError for dates."""
    if isinstance(leaf, jax.Array):
        return leaf
    array = convert(leaf if isinstance(leaf, np.ndarray) else to_array_like(leaf))
    if array.dtype.kind in "Mm":
        raise ValueError(
            f"A batch holds an array of dtype {array.dtype}, shape {array.shape}; "
            "expected numbers or text. Convert dates, or drop them, before they come "
            "into batches."
        )
    return array


def described(batch: Any) -> str:
    """Describe a batch by its structure, dtypes and shapes.

    >>> described((np.zeros((2, 3)), {"a": np.zeros(2, "int8")}))
    "(float64[2, 3], {'a': int8[2]})"
    """
    return str(jax.tree_util.tree_map(_LeafSummary, batch, is_leaf=lambda x: x is None))


class _LeafSummary:
    """An array in a description: its `repr` is dtype and shape."""

    def __init__(self, leaf):
        self._text = f"{leaf.dtype}{list(leaf.shape)}" if leaf is not None else "None"

    def __repr__(self):
        return self._text

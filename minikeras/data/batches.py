"""One batch, whoever made it."""

import functools

import jax
import numpy as np

from minikeras.data.arrays import is_leaf, plain


def to_batch(batch, copy=False):
    """A batch of dense arrays: `(x, …)` from a tuple or list, else `x` as it is.

    Dtypes stay as they are. Without `copy`, arrays of NumPy, and tensors of PyTorch
    and TensorFlow, share their memory with the result.
    """
    convert = np.array if copy else np.asarray
    if isinstance(batch, (tuple, list)):
        return tuple([_to_arrays(convert, part) for part in batch])
    return _to_arrays(convert, batch)


def _to_arrays(convert, part):
    if isinstance(part, np.ndarray):  # the usual case, sooner done
        return _to_array(convert, part)
    leaf_to_array = functools.partial(_to_array, convert)
    return jax.tree_util.tree_map(leaf_to_array, part, is_leaf=is_leaf)


def _to_array(convert, leaf):
    if isinstance(leaf, jax.Array):
        return leaf
    array = convert(leaf if isinstance(leaf, np.ndarray) else plain(leaf))
    if array.dtype.kind in "OSUMm":
        raise ValueError(
            f"A batch holds an array of dtype {array.dtype}, shape {array.shape}; "
            "expected numbers. Convert strings, objects and dates, or drop them, "
            "before they come into batches."
        )
    return array


def described(batch):
    """The structure, dtypes and shapes of a batch, in words.

    >>> described((np.zeros((2, 3)), {"a": np.zeros(2, "int8")}))
    "(float64[2, 3], {'a': int8[2]})"
    """
    return str(jax.tree_util.tree_map(_Brief, batch, is_leaf=lambda x: x is None))


class _Brief:
    """Shown as dtype and shape."""

    def __init__(self, leaf):
        self._text = f"{leaf.dtype}{list(leaf.shape)}" if leaf is not None else "None"

    def __repr__(self):
        return self._text

"""Category indices as one-hot, multi-hot and count vectors, in JAX and in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.ops.encodings import as_sparse, multi_hot, one_hot

MODES = ("int", "one_hot", "multi_hot", "count")


def encoded_shape(shape, mode, depth):
    """The shape of `encode`'s result, from that of the indices."""
    shape = tuple(shape)
    if mode == "int":
        return shape
    if mode == "one_hot":
        column = len(shape) > 1 and shape[-1] == 1
        return (*(shape[:-1] if column else shape or (1,)), depth)
    # As in Keras, the samples of a row lie along the axis 1.
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


def encode(x, mode, depth, dtype, sparse=False, weights=None):
    """Encode category indices; those out of range give zeros.

    Args:
        x: int array of any shape.
        mode: "int" returns it as it is, "one_hot" encodes each entry (a last axis of
            size 1 is left out), "multi_hot" marks and "count" counts the categories of
            each row.
        depth: int, the number of categories.
        dtype: of the result.
        sparse: return a sparse `BCOO` array.
        weights: array like `x`, what each entry counts; None: 1.
    """
    if mode == "int":
        return x.astype(jax.dtypes.canonicalize_dtype(dtype))
    x = jnp.atleast_1d(x)
    if mode == "one_hot":
        x = x[..., 0] if x.ndim > 1 and x.shape[-1] == 1 else x
        return one_hot(x, depth, dtype=dtype, sparse=sparse)
    if mode == "multi_hot":
        return multi_hot(x, depth, dtype=dtype, sparse=sparse)
    hot = one_hot(x, depth, dtype=dtype if weights is None else weights.dtype)
    hot = hot if weights is None else hot * weights[..., None]
    counts = hot.sum(axis=1 if x.ndim > 1 else 0)
    return as_sparse(counts, x.size) if sparse else counts


def encode_on_host(x, mode, depth, dtype):
    """`encode` of NumPy arrays.

    Args:
        x: int array of any shape.
        mode, depth, dtype: as of `encode`.
    """
    dtype = jax.dtypes.canonicalize_dtype(dtype)
    if mode == "int":
        return x.astype(dtype)
    shape = encoded_shape(x.shape, mode, depth)
    # The samples of a row last; for one-hot vectors each entry is a row.
    rows = np.moveaxis(x, 1, -1) if x.ndim > 1 else np.atleast_1d(x)
    rows = x.reshape(-1, 1) if mode == "one_hot" else rows.reshape(-1, rows.shape[-1])
    places = np.arange(len(rows))[:, None] * depth + rows
    places = places[(rows >= 0) & (rows < depth)]
    out = np.zeros(len(rows) * depth, dtype)
    if mode == "count":
        np.add.at(out, places, 1)
    else:
        out[places] = 1
    return out.reshape(shape)

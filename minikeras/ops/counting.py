"""Counts of numbers, of each of them and in bins."""

import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.core.symbolic import op
from minikeras.core.variable import is_sparse
from minikeras.ops.convert import as_array

__all__ = [
    "bincount", "histogram",
]  # fmt: skip


def _bincount_spec(trace, x, weights=None, sparse=False, **config):
    """An unknown number of counts: it depends on the greatest entry."""
    del trace, config
    dtype = "int32" if weights is None else weights.dtype
    return KerasTensor((*x.shape[:-1], None), dtype, sparse=sparse or x.sparse)


@op(tensors=("x", "weights"), spec=_bincount_spec)
def bincount(x, weights=None, minlength=0, sparse=False):
    """Counts of the numbers 0, 1, …, or the sums of their weights.

    Args:
        x: (n,) or (batch, n) ints >= 0; outside of `jit`.
        weights: array of the shape of `x`; all 1 by default.
        minlength: int, least number of counts.
        sparse: return a sparse `BCOO` array. So does a sparse `x`, whose missing
            entries are not counted.

    Returns:
        (max(x) + 1,) or (batch, max(x) + 1) array.

    >>> bincount([0, 2, 2], minlength=4).tolist()
    [1, 0, 2, 0]
    """
    if is_sparse(x):
        counts = _sparse_counts(x, weights, minlength)
    else:
        counts = _counts(as_array(x), weights, minlength)
    if not (sparse or is_sparse(x)):
        return counts
    # Imported late: most programs never need sparse arrays.
    BCOO = late_import("jax.experimental.sparse").BCOO
    return BCOO.fromdense(counts)


def _counts(x, weights, minlength):
    """The dense counts of a dense array."""
    # The greatest entry decides the shape, so that this runs outside of `jit` only.
    length = max(int(jnp.max(x)) + 1 if x.size else 0, minlength or 0)
    weights = None if weights is None else as_array(weights)
    if x.ndim == 1:
        return jnp.bincount(x, weights, length=length)
    rows = [None] * len(x) if weights is None else weights
    counts = [jnp.bincount(r, w, length=length) for r, w in zip(x, rows, strict=True)]
    return jnp.stack(counts)


def _sparse_counts(x, weights, minlength):
    """The dense counts of the stored entries; `weights` stores the same ones."""
    x = x.update_layout(n_batch=0)
    if weights is None:
        weights = jnp.ones_like(x.data)
    else:
        weights = weights.update_layout(n_batch=0).data
    length = max(int(jnp.max(x.data, initial=-1)) + 1, minlength or 0)
    counts = jnp.zeros((*x.shape[:-1], length), weights.dtype)
    return counts.at[(*x.indices[:, :-1].T, x.data)].add(weights)


@op
def histogram(x, bins=10, range=None):
    """Counts of the entries in bins of equal width.

    Args:
        x: (n,) array.
        bins: int, number of bins.
        range: pair of the least and the greatest edge; min(x) and max(x) by default.

    Returns:
        (bins,) counts and (bins + 1,) edges.

    Raises:
        ValueError: `bins` is no such int, `range` is no ascending pair, or `x` has more
            than one axis.

    >>> counts, edges = histogram([1.0, 2.0, 2.0], bins=2, range=(0.0, 4.0))
    >>> counts.tolist(), edges.tolist()
    ([1.0, 2.0], [0.0, 2.0, 4.0])
    """
    x = as_array(x)
    if not isinstance(bins, int) or bins < 0:
        raise ValueError(
            "histogram: Argument `bins` should be a non-negative integer, got "
            f"{bins!r}."
        )
    if range and len(range) != 2:
        raise ValueError(
            "histogram: Argument `range` must be a tuple of two elements, got "
            f"{range!r}."
        )
    if range and range[1] < range[0]:
        raise ValueError(
            "histogram: The second element of `range` must be greater than the first, "
            f"got {range!r}."
        )
    if x.ndim > 1:
        raise ValueError(
            f"histogram: Input tensor must be 1-dimensional, got shape {x.shape}."
        )
    return jnp.histogram(x, bins, range)

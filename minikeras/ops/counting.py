"""Counts of numbers, of each of them and in bins."""

import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.core.symbolic import op
from minikeras.core.variable import is_sparse
from minikeras.ops.convert import as_array

__all__ = [
    "bincount",
    "histogram",
]


def _bincount_spec(trace, x, weights=None, sparse=False, **config):
    """How many counts there are depends on the greatest number."""
    del trace, config
    dtype = "int32" if weights is None else weights.dtype
    return KerasTensor((*x.shape[:-1], None), dtype, sparse=sparse or x.sparse)


@op(tensors=("x", "weights"), spec=_bincount_spec)
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often (or with what total weight) each of 0, 1, … occurs.

    Args:
        x: (n,) or (batch, n) ints >= 0.
        weights: of the shape of `x`.
        minlength: least number of counts.
        sparse: give a sparse array; so does a sparse `x`, whose missing entries are
            not counted.
    """
    if is_sparse(x):
        counts = _sparse_counts(x, weights, minlength)
    else:
        counts = _counts(as_array(x), weights, minlength)
    if not (sparse or is_sparse(x)):
        return counts
    BCOO = late_import("jax.experimental.sparse").BCOO
    return BCOO.fromdense(counts)


def _counts(x, weights, minlength):
    length = max(int(jnp.max(x)) + 1 if x.size else 0, minlength or 0)
    weights = None if weights is None else as_array(weights)
    if x.ndim == 1:
        return jnp.bincount(x, weights, length=length)
    rows = [None] * len(x) if weights is None else weights
    counts = [jnp.bincount(r, w, length=length) for r, w in zip(x, rows, strict=True)]
    return jnp.stack(counts)


def _sparse_counts(x, weights, minlength):
    """Only stored entries count; `weights` has the same ones."""
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
    """Counts in equal bins over `range`, and their edges -> (counts, edges)."""
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

"""Decorators that give an op a rule for sparse (`BCOO`) arrays.

An op without one of them makes its sparse arguments dense, by `as_array`.
"""

import functools

import jax
import jax.numpy as jnp

from minikeras.core.late_import import late_import
from minikeras.core.variable import as_array, is_sparse


def on_entries(function):
    """Rule for f(x) with f(0) = 0: f of the stored entries."""

    @functools.wraps(function)
    def call(x, *args, **kwargs):
        if not is_sparse(x):
            return function(x, *args, **kwargs)
        # An entry that is stored twice is the sum of both, and f is not linear.
        if not x.unique_indices:
            x = x.sum_duplicates(nse=x.nse, remove_zeros=False)
        data = function(x.data, *args, **kwargs)
        return type(x)((data, x.indices), shape=x.shape, unique_indices=True)

    return call


def by_jax(function):
    """Rule for moves, sums and products: JAX's own, and dense where it has none."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        if _any_sparse(args) or (kwargs and _any_sparse(kwargs.values())):
            return _sparsified(function, args, kwargs)
        return function(*args, **kwargs)

    return call


def reduction(function):
    """Rule for sums: as `by_jax`, with a sum over all axes as one stored entry."""

    @functools.wraps(function)
    def call(x, *args, **kwargs):
        if not is_sparse(x):
            return function(x, *args, **kwargs)
        y = _sparsified(function, (x, *args), kwargs)
        if is_sparse(y) or y.size != 1:
            return y
        # JAX's sum over all axes is dense; that over some axes is sparse.
        first = jnp.zeros((1, y.ndim), "int32")
        return type(x)((jnp.reshape(y, 1), first), shape=y.shape)

    return call


def _any_sparse(xs):
    """Is there a sparse array among the arguments, or in a list of them?"""
    for x in xs:
        if is_sparse(x) or (type(x) in (list, tuple) and any(map(is_sparse, x))):
            return True
    return False


def _sparsified(function, args, kwargs):
    """The function by JAX's rules for sparse arrays, or else on dense arrays."""
    # Imported late: `jax.experimental.sparse` takes time that most programs never need.
    sparsify = late_import("jax.experimental.sparse").sparsify
    arguments = (args, kwargs)
    leaves, treedef = jax.tree_util.tree_flatten(arguments, is_leaf=is_sparse)
    # `sparsify` looks at positional arrays: the other arguments are bound.
    where = [i for i, x in enumerate(leaves) if is_sparse(x)]

    def run(*arrays):
        for i, array in zip(where, arrays, strict=True):
            leaves[i] = array
        args, kwargs = treedef.unflatten(leaves)
        return function(*args, **kwargs)

    try:
        return sparsify(run)(*(leaves[i] for i in where))
    except (NotImplementedError, ValueError):  # JAX has no rule, or not for this layout
        return function(*args, **kwargs)


def pair(function):
    """Rule for sums and products of two operands: as `by_jax`."""

    @functools.wraps(function)
    def call(x1, x2):
        # Cheaper than `_any_sparse`: every addition and multiplication passes here.
        if hasattr(x1, "todense") or hasattr(x2, "todense"):
            return _sparsified(function, (x1, x2), {})
        return function(x1, x2)

    return call


def batched_product(function):
    """Rule for matrix products, also of batches of sparse matrices."""
    # JAX multiplies batches only if each matrix is stored by itself (`n_batch`).
    by_rules = by_jax(function)

    @functools.wraps(function)
    def call(x1, x2):
        if hasattr(x1, "todense") and hasattr(x2, "todense"):
            x1, x2 = _one_batch(x1), _one_batch(x2)
        return by_rules(x1, x2)

    return call


def _one_batch(x):
    """The array with each matrix stored by itself: all but two axes are the batch."""
    if x.ndim <= 2 or x.n_batch == x.ndim - 2:
        return x
    # Each matrix then stores as many entries as the fullest one, which JAX refuses
    # without `on_inefficient=None`.
    return x.update_layout(n_batch=x.ndim - 2, on_inefficient=None)


def union(function):
    """Rule for f(x1, x2) with f(0, 0) = 0: f of the entries that either one stores."""

    @functools.wraps(function)
    def call(x1, x2):
        if not (is_sparse(x1) and is_sparse(x2) and x1.shape == x2.shape):
            return function(x1, x2)
        if (x1.n_batch, x1.n_dense) != (x2.n_batch, x2.n_dense):
            return function(x1, x2)
        # Stored in one order, the data of both are plain arrays.
        x1, x2 = _same_entries(x1, x2)
        return type(x1)((function(x1.data, x2.data), x1.indices), shape=x1.shape)

    return call


def _same_entries(x1, x2):
    """Both arrays with the entries that either one stores, in one order."""
    total = x1.nse + x2.nse
    # The number of distinct entries is known only outside of a trace.
    traced = any(isinstance(x, jax.core.Tracer) for x in (x1.indices, x2.indices))
    axis = x1.n_batch  # along which the entries of a sample lie
    indices = jnp.concatenate([x1.indices, x2.indices], axis)
    both = []
    for x, first in ((x1, True), (x2, False)):
        shape = (*x.data.shape[:axis], total - x.nse, *x.data.shape[axis + 1 :])
        other = jnp.zeros(shape, x.dtype)
        data = jnp.concatenate([x.data, other] if first else [other, x.data], axis)
        # Each gets the entries of the other one as zeros, then duplicates are summed.
        wide = type(x)((data, indices), shape=x.shape)
        size = total if traced else None
        both.append(wide.sum_duplicates(nse=size, remove_zeros=False))
    return both


def quotient(function):
    """Rule for x1 / x2: sparse if no missing entry of x1 is divided by 0 or NaN."""
    sparse = by_jax(function)

    @functools.wraps(function)
    def call(x1, x2):
        if not is_sparse(x1) or is_sparse(x2):
            return function(x1, x2)
        x2 = as_array(x2)
        # 0 / 0 and 0 / NaN are NaN, which a sparse result would lose. The values of a
        # tracer are not known: the result is sparse then.
        traced = isinstance(x2, jax.core.Tracer)
        if not traced and jnp.any((x2 == 0) | jnp.isnan(x2)):
            return function(x1, x2)
        return sparse(x1, x2)

    return call

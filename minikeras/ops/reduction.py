"""Sums, means, extremes and other functions that reduce axes."""

import functools

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops import sparse
from minikeras.ops.arguments import as_axes
from minikeras.ops.convert import as_array
from minikeras.ops.op_makers import reduction

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "max",
    "mean", "min", "nanargmax", "nanargmin", "nanmax", "nanmean", "nanmin", "nanprod",
    "nanstd", "nansum", "nanvar", "prod", "ptp", "std", "sum", "trapezoid", "var",
]  # fmt: skip

_ONE_AXIS = "int, or None for the flattened array."
_INDEX = "int32 array without `axis`."
_BOOLS = "bools without the axes in `axis`."


def _with_signed_zero(function):
    """The function of an array with a tiny negative number in place of -0.0."""
    # Keras on JAX takes -0.0 for less than 0.0. XLA on CPUs flushes denormals to 0, so
    # that the number is the least normal one.

    @functools.wraps(function)
    def call(x, **kwargs):
        if jnp.issubdtype(x.dtype, jnp.floating):
            below = -jnp.finfo(x.dtype).tiny
            x = jnp.where((x == 0) & jnp.signbit(x), below, x)
        return function(x, **kwargs)

    return call


# In the rest of this file `all`, `any`, `max`, `min` and `sum` are ops, not Python's.
all = reduction(
    jnp.all,
    "True where all entries are true.",
    "[[1, 2], [0, 3]], axis=1 -> [True, False]",
    "all",
    returns=_BOOLS,
)
amax = reduction(
    jnp.max, "Greatest entry.", "[[1, 7], [5, 2]], axis=0 -> [5, 7]", "amax"
)
amin = reduction(
    jnp.min, "Smallest entry.", "[[1, 7], [5, 2]], axis=0 -> [1, 2]", "amin"
)
any = reduction(
    jnp.any,
    "True where any entry is true.",
    "[[0, 0], [0, 3]], axis=1 -> [False, True]",
    "any",
    returns=_BOOLS,
)
argmax = reduction(
    _with_signed_zero(jnp.argmax),
    "Index of the greatest entry, the first of equal ones.",
    "[[1, 7], [5, 2]], axis=1 -> [1, 0]",
    axis=_ONE_AXIS,
    returns=_INDEX,
)
argmin = reduction(
    _with_signed_zero(jnp.argmin),
    "Index of the smallest entry, the first of equal ones.",
    "[[1, 7], [5, 2]], axis=1 -> [0, 1]",
    axis=_ONE_AXIS,
    returns=_INDEX,
)
mean = reduction(
    jnp.mean,
    "Σx / n.",
    "[[1, 7], [5, 2]], axis=1 -> [4.0, 3.5]",
    sparse=sparse.reduction,
)
nanargmax = reduction(
    jnp.nanargmax,
    "Index of the greatest entry that is not NaN; -1 where all are NaN.",
    "[float('nan'), 2.0, 5.0] -> 2",
    axis=_ONE_AXIS,
    returns=_INDEX,
)
nanargmin = reduction(
    jnp.nanargmin,
    "Index of the smallest entry that is not NaN; -1 where all are NaN.",
    "[float('nan'), 2.0, 5.0] -> 1",
    axis=_ONE_AXIS,
    returns=_INDEX,
)
nanmax = reduction(
    jnp.nanmax, "Greatest entry that is not NaN.", "[float('nan'), 2.0, 5.0] -> 5.0"
)
nanmean = reduction(
    jnp.nanmean,
    "Mean of the entries that are not NaN.",
    "[float('nan'), 2.0, 5.0] -> 3.5",
)
nanmin = reduction(
    jnp.nanmin, "Smallest entry that is not NaN.", "[float('nan'), 2.0, 5.0] -> 2.0"
)
nanprod = reduction(
    jnp.nanprod,
    "Product of the entries that are not NaN.",
    "[float('nan'), 2.0, 5.0] -> 10.0",
)
nanstd = reduction(
    jnp.nanstd,
    "Standard deviation of the entries that are not NaN.",
    "[float('nan'), 2.0, 5.0] -> 1.5",
)
nansum = reduction(
    jnp.nansum,
    "Sum of the entries that are not NaN.",
    "[float('nan'), 2.0, 5.0] -> 7.0",
)
nanvar = reduction(
    jnp.nanvar,
    "Variance of the entries that are not NaN.",
    "[float('nan'), 2.0, 5.0] -> 2.25",
)
ptp = reduction(
    jnp.ptp,
    "Greatest entry minus smallest entry.",
    "[[1, 7], [5, 2]], axis=1 -> [6, 3]",
)
std = reduction(
    jnp.std,
    "Standard deviation √(mean((x - mean(x))²)).",
    "[[1, 7], [5, 2]], axis=1 -> [3.0, 1.5]",
)
sum = reduction(
    jnp.sum, "Σx.", "[[1, 7], [5, 2]], axis=1 -> [8, 7]", "sum", sparse=sparse.reduction
)
var = reduction(
    jnp.var, "Variance mean((x - mean(x))²).", "[[1, 7], [5, 2]], axis=1 -> [9.0, 2.25]"
)


@op
def max(x, axis=None, keepdims=False, initial=None):
    """Greatest entry, at least `initial`.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep reduced axes with size 1.
        initial: lower bound of the result, also for axes of size 0; None for none.

    Returns:
        Array without the axes in `axis`.

    >>> max([[1, 7], [5, 2]], axis=0, initial=6).tolist()
    [6, 7]
    """
    return jnp.max(as_array(x), as_axes(axis), keepdims=keepdims, initial=initial)


@op
def min(x, axis=None, keepdims=False, initial=None):
    """Smallest entry, at most `initial`.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep reduced axes with size 1.
        initial: upper bound of the result, also for axes of size 0; None for none.

    Returns:
        Array without the axes in `axis`.

    >>> min([[1, 7], [5, 2]], axis=0, initial=4).tolist()
    [1, 2]
    """
    return jnp.min(as_array(x), as_axes(axis), keepdims=keepdims, initial=initial)


@op
def prod(x, axis=None, keepdims=False, dtype=None):
    """Product Πx.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep reduced axes with size 1.
        dtype: dtype of the factors and of the result; that of `x` by default.

    Returns:
        Array without the axes in `axis`.

    >>> prod([[1, 7], [5, 2]], axis=1).tolist()
    [7, 10]
    """
    return jnp.prod(as_array(x), as_axes(axis), keepdims=keepdims, dtype=dtype)


@op
def average(x, axis=None, weights=None):
    """Weighted mean Σwx / Σw.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.
        weights: w, of the shape of `x` or of its axes in `axis`; all 1 by default.

    Returns:
        Array without the axes in `axis`.

    >>> average([1.0, 4.0], weights=[3.0, 1.0]).tolist()
    1.75
    """
    weights = None if weights is None else as_array(weights)
    return jnp.average(as_array(x), axis=as_axes(axis), weights=weights)


@op
def count_nonzero(x, axis=None):
    """Number of entries that are not 0.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.

    Returns:
        int32 array without the axes in `axis`.

    >>> count_nonzero([[0, 7], [5, 2]], axis=1).tolist()
    [1, 2]
    """
    return jnp.count_nonzero(as_array(x), axis=as_axes(axis))


@op(tensors=("y", "x"))
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Integral of samples by the trapezoidal rule, Σ ½(yᵢ + yᵢ₊₁)(xᵢ₊₁ - xᵢ).

    Args:
        y: array of samples.
        x: points of the samples, of the shape of `y` or (n,); None for steps of `dx`.
        dx: distance of the points if `x` is None.
        axis: int, the axis of the samples.

    Returns:
        Array without `axis`.

    >>> trapezoid([1.0, 2.0, 5.0], dx=2.0).tolist()
    10.0
    """
    x = None if x is None else as_array(x)
    return jnp.trapezoid(as_array(y), x, dx, axis)

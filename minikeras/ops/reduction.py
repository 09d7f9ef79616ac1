"""Sums, means, extremes and other functions that take axes away."""

import functools

import jax
import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops import sparse
from minikeras.ops.convert import as_array, as_operand


def reduction(function, doc, name=None, rule=None, **options):
    """The op `function(x, axis=None, keepdims=False)`.

    Axis: int, tuple of ints or None for all axes.
    """

    def call(x, axis=None, keepdims=False):
        return function(as_array(x), axis=_axis(axis), keepdims=keepdims)

    call = rule(call) if rule else call
    call.__name__ = call.__qualname__ = name or function.__name__
    call.__doc__ = doc
    if "class_name" in options:
        options["name"] = options.pop("class_name")
    return op(call, **options)


def _axis(axis):
    return tuple(axis) if isinstance(axis, list) else axis


def _with_signed_zero(function):
    """-0.0 comes before 0.0; so do numbers too small for the processor."""

    @functools.wraps(function)
    def call(x, **kwargs):
        if jnp.issubdtype(x.dtype, jnp.floating):
            below = -jnp.finfo(x.dtype).tiny
            x = jnp.where((x == 0) & jnp.signbit(x), below, x)
        return function(x, **kwargs)

    return call


all = reduction(jnp.all, "Are all entries true?", "all")
amax = reduction(jnp.max, "Greatest entry.", "amax")
amin = reduction(jnp.min, "Smallest entry.", "amin")
any = reduction(jnp.any, "Is any entry true?", "any")
argmax = reduction(_with_signed_zero(jnp.argmax), "Index of the greatest entry.")
argmin = reduction(_with_signed_zero(jnp.argmin), "Index of the smallest entry.")
mean = reduction(jnp.mean, "Mean.", rule=sparse.reduction)
median = reduction(jnp.median, "Median.")
nanargmax = reduction(jnp.nanargmax, "As `argmax`, ignoring NaN.")
nanargmin = reduction(jnp.nanargmin, "As `argmin`, ignoring NaN.")
nanmax = reduction(jnp.nanmax, "Greatest entry, ignoring NaN.")
nanmean = reduction(jnp.nanmean, "Mean, ignoring NaN.")
nanmedian = reduction(jnp.nanmedian, "Median, ignoring NaN.")
nanmin = reduction(jnp.nanmin, "Smallest entry, ignoring NaN.")
nanprod = reduction(jnp.nanprod, "Product, ignoring NaN.")
nanstd = reduction(jnp.nanstd, "Standard deviation, ignoring NaN.")
nansum = reduction(jnp.nansum, "Sum, ignoring NaN.")
nanvar = reduction(jnp.nanvar, "Variance, ignoring NaN.")
ptp = reduction(jnp.ptp, "Greatest minus smallest entry.")
std = reduction(jnp.std, "Standard deviation √(mean(x²) - mean(x)²).")
sum = reduction(jnp.sum, "Sum.", "sum", rule=sparse.reduction)
var = reduction(jnp.var, "Variance mean((x - mean(x))²).")

logsumexp = reduction(
    jax.scipy.special.logsumexp,
    "log Σ eˣ, without overflow.",
    "logsumexp",
    module="keras.src.ops.math",
)


@op
def max(x, axis=None, keepdims=False, initial=None):
    """Greatest entry over `axis`, at least `initial`."""
    return jnp.max(as_array(x), _axis(axis), keepdims=keepdims, initial=initial)


@op
def min(x, axis=None, keepdims=False, initial=None):
    """Smallest entry over `axis`, at most `initial`."""
    return jnp.min(as_array(x), _axis(axis), keepdims=keepdims, initial=initial)


@op
def prod(x, axis=None, keepdims=False, dtype=None):
    """Product over `axis`, computed in `dtype`."""
    return jnp.prod(as_array(x), _axis(axis), keepdims=keepdims, dtype=dtype)


@op
def average(x, axis=None, weights=None):
    """Σ wx / Σw over `axis`; weights are 1 by default."""
    weights = None if weights is None else as_array(weights)
    return jnp.average(as_array(x), axis=_axis(axis), weights=weights)


@op
def count_nonzero(x, axis=None):
    """Number of entries that are not 0, int32."""
    return jnp.count_nonzero(as_array(x), axis=_axis(axis))


@op
def cumsum(x, axis=None, dtype=None):
    """Running sum along `axis`; None flattens first."""
    x = as_array(x)
    dtype = "int32" if dtype is None and x.dtype == bool else dtype
    return jnp.cumsum(x, axis, dtype)


@op
def cumprod(x, axis=None, dtype=None):
    """Running product along `axis`; None flattens first."""
    x = as_array(x)
    dtype = "int32" if dtype is None and x.dtype == bool else dtype
    return jnp.cumprod(x, axis, dtype)


@op
def nancumsum(x, axis=None, dtype=None):
    """As `cumsum`, with NaN taken for 0; along each of several axes in turn."""
    return _along(jnp.nancumsum, as_array(x), axis, dtype)


@op
def nancumprod(x, axis=None, dtype=None):
    """As `cumprod`, with NaN taken for 1; along each of several axes in turn."""
    return _along(jnp.nancumprod, as_array(x), axis, dtype)


def _along(function, x, axis, dtype):
    if not isinstance(axis, (list, tuple)):
        return function(x, axis, dtype)
    if not axis:  # along an axis of size 1, only NaN is replaced
        return function(x[None], 0, dtype)[0]
    for one in axis:
        x = function(x, one, dtype)
    return x


@op(tensors=("x", "q"))
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """Quantiles q (in [0, 1], one or several) over `axis`."""
    return jnp.quantile(
        as_array(x), as_array(q), axis=_axis(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """As `quantile`, ignoring NaN."""
    return jnp.nanquantile(
        as_array(x), as_array(q), axis=_axis(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` with q in [0, 100]."""
    return jnp.percentile(
        as_array(x), as_array(q), axis=_axis(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """As `percentile`, ignoring NaN."""
    return jnp.nanpercentile(
        as_array(x), as_array(q), axis=_axis(axis), method=method, keepdims=keepdims
    )


@op(tensors=("y", "x"))
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Integral of samples y over points x (or steps dx) by the trapezoidal rule."""
    x = None if x is None else as_array(x)
    return jnp.trapezoid(as_array(y), x, dx, axis)


@op(name="AllClose")
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Are all |x1 - x2| <= atol + rtol |x2|?"""
    return jnp.allclose(as_operand(x1), as_operand(x2), rtol, atol, equal_nan)

"""Medians, quantiles and percentiles."""

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.op_makers import axes_of, reduction

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]
median = reduction(
    jnp.median,
    "Median; the mean of the middle two of an even number.",
    "[[1, 7], [5, 2]], axis=1 -> [4.0, 3.5]",
)
nanmedian = reduction(
    jnp.nanmedian,
    "Median of the entries that are not NaN.",
    "[float('nan'), 2.0, 5.0] -> 3.5",
)


@op(tensors=("x", "q"))
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """Quantiles q (in [0, 1], one or several) over `axis`."""
    return jnp.quantile(
        as_array(x), as_array(q), axis=axes_of(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """As `quantile`, ignoring NaN."""
    return jnp.nanquantile(
        as_array(x), as_array(q), axis=axes_of(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` with q in [0, 100]."""
    return jnp.percentile(
        as_array(x), as_array(q), axis=axes_of(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """As `percentile`, ignoring NaN."""
    return jnp.nanpercentile(
        as_array(x), as_array(q), axis=axes_of(axis), method=method, keepdims=keepdims
    )

"""Medians, quantiles and percentiles."""

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.arguments import as_axes
from minikeras.ops.convert import as_array
from minikeras.ops.op_makers import reduction

__all__ = [
    "median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile",
]  # fmt: skip
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
    """Quantiles: the numbers below which a share q of the entries lies.

    Args:
        x: array of any shape.
        q: number or array of numbers in [0, 1].
        axis: int, tuple of ints, or None for all axes.
        method: between two entries: "linear" interpolation, "lower", "higher",
            "midpoint" or "nearest".
        keepdims: keep reduced axes with size 1.

    Returns:
        Array of the shape of `q`, then the axes of `x` without those in `axis`.

    >>> quantile([1.0, 2.0, 4.0], 0.75).tolist()
    3.0
    """
    return jnp.quantile(
        as_array(x), as_array(q), axis=as_axes(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """Quantiles of the entries that are not NaN.

    Args:
        x: array of any shape.
        q: number or array of numbers in [0, 1].
        axis: int, tuple of ints, or None for all axes.
        method: between two entries: "linear" interpolation, "lower", "higher",
            "midpoint" or "nearest".
        keepdims: keep reduced axes with size 1.

    Returns:
        Array of the shape of `q`, then the axes of `x` without those in `axis`.

    >>> nanquantile([1.0, 2.0, float("nan"), 4.0], 0.75).tolist()
    3.0
    """
    return jnp.nanquantile(
        as_array(x), as_array(q), axis=as_axes(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """Percentiles: the numbers below which q percent of the entries lie.

    Args:
        x: array of any shape.
        q: number or array of numbers in [0, 100].
        axis: int, tuple of ints, or None for all axes.
        method: between two entries: "linear" interpolation, "lower", "higher",
            "midpoint" or "nearest".
        keepdims: keep reduced axes with size 1.

    Returns:
        Array of the shape of `q`, then the axes of `x` without those in `axis`.

    >>> percentile([1.0, 2.0, 4.0], 75).tolist()
    3.0
    """
    return jnp.percentile(
        as_array(x), as_array(q), axis=as_axes(axis), method=method, keepdims=keepdims
    )


@op(tensors=("x", "q"))
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """Percentiles of the entries that are not NaN.

    Args:
        x: array of any shape.
        q: number or array of numbers in [0, 100].
        axis: int, tuple of ints, or None for all axes.
        method: between two entries: "linear" interpolation, "lower", "higher",
            "midpoint" or "nearest".
        keepdims: keep reduced axes with size 1.

    Returns:
        Array of the shape of `q`, then the axes of `x` without those in `axis`.

    >>> nanpercentile([1.0, 2.0, float("nan"), 4.0], 75).tolist()
    3.0
    """
    return jnp.nanpercentile(
        as_array(x), as_array(q), axis=as_axes(axis), method=method, keepdims=keepdims
    )

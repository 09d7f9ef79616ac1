"""Running sums and products."""

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array

__all__ = [
    "cumprod", "cumsum", "nancumprod", "nancumsum",
]  # fmt: skip


@op
def cumsum(x, axis=None, dtype=None):
    """Running sums along an axis.

    Args:
        x: array of any shape; bools are summed in int32.
        axis: int, or None for the flattened array.
        dtype: dtype of the sums; that of `x` by default.

    Returns:
        Array of the shape of `x`, or of one axis for None.

    >>> cumsum([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [3, 7]]
    """
    x = as_array(x)
    dtype = "int32" if dtype is None and x.dtype == bool else dtype
    return jnp.cumsum(x, axis, dtype)


@op
def cumprod(x, axis=None, dtype=None):
    """Running products along an axis.

    Args:
        x: array of any shape; bools are multiplied in int32.
        axis: int, or None for the flattened array.
        dtype: dtype of the products; that of `x` by default.

    Returns:
        Array of the shape of `x`, or of one axis for None.

    >>> cumprod([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 2], [3, 12]]
    """
    x = as_array(x)
    dtype = "int32" if dtype is None and x.dtype == bool else dtype
    return jnp.cumprod(x, axis, dtype)


@op
def nancumsum(x, axis=None, dtype=None):
    """Running sums along an axis, with 0 in place of NaN.

    Args:
        x: array of any shape.
        axis: int, a tuple of ints to sum along each of them in turn, or None for the
            flattened array.
        dtype: dtype of the sums; that of `x` by default.

    Returns:
        Array of the shape of `x`, or of one axis for None.

    >>> nancumsum([1.0, float("nan"), 3.0]).tolist()
    [1.0, 1.0, 4.0]
    """
    return _along(jnp.nancumsum, as_array(x), axis, dtype)


@op
def nancumprod(x, axis=None, dtype=None):
    """Running products along an axis, with 1 in place of NaN.

    Args:
        x: array of any shape.
        axis: int, a tuple of ints to multiply along each of them in turn, or None for
            the flattened array.
        dtype: dtype of the products; that of `x` by default.

    Returns:
        Array of the shape of `x`, or of one axis for None.

    >>> nancumprod([2.0, float("nan"), 3.0]).tolist()
    [2.0, 2.0, 6.0]
    """
    return _along(jnp.nancumprod, as_array(x), axis, dtype)


def _along(function, x, axis, dtype):
    """The running function along one axis, or along each of several in turn."""
    if not isinstance(axis, (list, tuple)):
        return function(x, axis, dtype)
    # An empty tuple still replaces NaN. Along a new axis of size 1 nothing else
    # changes.
    if not axis:
        return function(x[None], 0, dtype)[0]
    for one in axis:
        x = function(x, one, dtype)
    return x

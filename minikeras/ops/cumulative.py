"""Running sums and products."""

import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array

__all__ = [
    "cumprod",
    "cumsum",
    "nancumprod",
    "nancumsum",
]


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

"""Functions that make arrays."""

import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_operand

__all__ = [
    "arange",
    "diag",
    "diagflat",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "tril",
    "triu",
    "vander",
    "zeros",
    "zeros_like",
]


def _dtype(dtype):
    return dtypes.as_jax(dtype)


def _common(values):
    return dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in values))


def _of(x, dtype):
    return x.dtype if dtype is None else _dtype(dtype)


def arange(start, stop=None, step=None, dtype=None):
    """start, start + step, … below stop; `arange(n)` counts from 0.

    >>> arange(2, 8, 3).tolist()
    [2, 5]
    """
    if dtype is None:
        dtype = _common(v for v in (start, stop, step) if v is not None)
    if stop is None:
        start, stop = 0, start
    return jnp.arange(start, stop, step, dtype=_dtype(dtype))


def empty(shape, dtype=None):
    """An array whose entries do not matter (0)."""
    return jnp.empty(shape, _dtype(dtype))


def zeros(shape, dtype=None):
    """Zeros, `floatx()` by default."""
    return jnp.zeros(shape, _dtype(dtype))


def ones(shape, dtype=None):
    """Ones, `floatx()` by default."""
    return jnp.ones(shape, _dtype(dtype))


def full(shape, fill_value, dtype=None):
    """`fill_value` everywhere, `floatx()` by default."""
    return jnp.full(shape, as_operand(fill_value), _dtype(dtype))


@op
def empty_like(x, dtype=None):
    """As `empty`, of the shape and dtype of `x`."""
    x = as_array(x)
    return jnp.empty(x.shape, _of(x, dtype))


@op
def zeros_like(x, dtype=None):
    """Zeros of the shape and dtype of `x`."""
    x = as_array(x)
    return jnp.zeros(x.shape, _of(x, dtype))


@op
def ones_like(x, dtype=None):
    """Ones of the shape and dtype of `x`."""
    x = as_array(x)
    return jnp.ones(x.shape, _of(x, dtype))


@op(tensors=("x", "fill_value"))
def full_like(x, fill_value, dtype=None):
    """`fill_value` everywhere, of the shape and dtype of `x`."""
    x = as_array(x)
    return jnp.full(x.shape, as_operand(fill_value), _of(x, dtype))


def eye(N, M=None, k=0, dtype=None):
    """(N, M) matrix with ones on diagonal k, else 0; M is N by default."""
    return jnp.eye(N, M, k, _dtype(dtype))


def identity(n, dtype=None):
    """(n, n) matrix with ones on the diagonal."""
    return jnp.eye(n, dtype=_dtype(dtype))


def tri(N, M=None, k=0, dtype=None):
    """(N, M) matrix with ones on and below diagonal k."""
    return jnp.tri(N, M, k, _dtype(dtype))


def _float(dtype, *values):
    return _dtype(_common((*values, 1.0)) if dtype is None else dtype)


@op(tensors=("start", "stop"))
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` evenly spaced numbers from start to stop [and the step]."""
    dtype = _float(dtype, start, stop)
    start, stop = as_operand(start), as_operand(stop)
    return jnp.linspace(start, stop, num, endpoint, retstep, dtype, axis=axis)


@op(tensors=("start", "stop"))
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`num` numbers from base^start to base^stop with evenly spaced logarithms."""
    dtype = _float(dtype, start, stop)
    start, stop = as_operand(start), as_operand(stop)
    return jnp.logspace(start, stop, num, endpoint, base, dtype, axis)


@op(tensors=("start", "stop"))
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers from start to stop with a constant ratio."""
    dtype = _float(dtype, start, stop)
    start, stop = as_operand(start), as_operand(stop)
    return jnp.geomspace(start, stop, num, endpoint, dtype, axis)


@op(tensors=("x",))
def meshgrid(*x, indexing="xy"):
    """Coordinate arrays of a grid over axes -> list.

    Args:
        *x: the coordinates along each axis; those of several axes are flattened.
        indexing: "xy" puts the first two axes the other way round, "ij" does not.
    """
    return jnp.meshgrid(*(as_array(axis).ravel() for axis in x), indexing=indexing)


def _diag_spec(trace, x, k=0):
    """How long the diagonal of a matrix of unknown sizes is, is not known."""
    if len(x.shape) == 2 and None in x.shape:
        return KerasTensor((None,), x.dtype)
    return trace(x)


@op(spec=_diag_spec)
def diag(x, k=0):
    """Diagonal k of a matrix, or the matrix that has `x` there."""
    return jnp.diag(as_array(x), k)


def _smaller_sizes(trace, x, k=0):
    """Sizes whose square is not out of range."""
    del k
    return trace(x, fills=(12, 24))


@op(spec=_smaller_sizes)
def diagflat(x, k=0):
    """Matrix with all entries of `x` on diagonal k."""
    return jnp.diagflat(as_array(x), k)


@op
def tril(x, k=0):
    """`x` with 0 above diagonal k."""
    return jnp.tril(as_array(x), k)


@op
def triu(x, k=0):
    """`x` with 0 below diagonal k."""
    return jnp.triu(as_array(x), k)


@op
def vander(x, N=None, increasing=False):
    """Vandermonde matrix: powers of `x` in the columns, highest first."""
    return jnp.vander(as_array(x), N, increasing)

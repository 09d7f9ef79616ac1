"""Functions that make arrays."""

import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_operand

__all__ = [
    "arange", "diag", "diagflat", "empty", "empty_like", "eye", "full", "full_like",
    "geomspace", "identity", "linspace", "logspace", "meshgrid", "ones", "ones_like",
    "tri", "tril", "triu", "vander", "zeros", "zeros_like",
]  # fmt: skip


def _dtype(dtype):
    """The JAX dtype of a name; `floatx()` for None."""
    return dtypes.as_jax(dtype)


def _common(values):
    """The dtype that Keras gives to an array of these numbers."""
    # Not JAX's: Python floats are `floatx()` and ints int32 here.
    return dtypes.result_type(*(getattr(v, "dtype", type(v)) for v in values))


def _of(x, dtype):
    """The given dtype, or that of `x`."""
    return x.dtype if dtype is None else _dtype(dtype)


def arange(start, stop=None, step=None, dtype=None):
    """The numbers start, start + step, … before stop; `arange(n)` starts from 0.

    Args:
        start: number, the first one, or `stop` if it is the only argument.
        stop: number, not included.
        step: number that is not 0; 1 by default.
        dtype: by default int32 for ints, `floatx()` for floats.

    Returns:
        (⌈(stop - start) / step⌉,) array.

    >>> arange(2, 8, 3).tolist()
    [2, 5]
    """
    if dtype is None:
        dtype = _common(v for v in (start, stop, step) if v is not None)
    if stop is None:
        start, stop = 0, start
    return jnp.arange(start, stop, step, dtype=_dtype(dtype))


def empty(shape, dtype=None):
    """An array whose entries may be anything; with JAX they are 0.

    Args:
        shape: tuple of ints.
        dtype: `floatx()` by default.

    Returns:
        Array of `shape`.

    >>> empty((2, 3)).shape
    (2, 3)
    """
    return jnp.empty(shape, _dtype(dtype))


def zeros(shape, dtype=None):
    """An array of zeros.

    Args:
        shape: tuple of ints.
        dtype: `floatx()` by default.

    Returns:
        Array of `shape`.

    >>> zeros((1, 2)).tolist()
    [[0.0, 0.0]]
    """
    return jnp.zeros(shape, _dtype(dtype))


def ones(shape, dtype=None):
    """An array of ones.

    Args:
        shape: tuple of ints.
        dtype: `floatx()` by default.

    Returns:
        Array of `shape`.

    >>> ones((1, 2), "int32").tolist()
    [[1, 1]]
    """
    return jnp.ones(shape, _dtype(dtype))


def full(shape, fill_value, dtype=None):
    """An array filled with one number.

    Args:
        shape: tuple of ints.
        fill_value: number, or array that broadcasts to `shape`.
        dtype: `floatx()` by default.

    Returns:
        Array of `shape`.

    >>> full((2,), 7).tolist()
    [7.0, 7.0]
    """
    return jnp.full(shape, as_operand(fill_value), _dtype(dtype))


@op
def empty_like(x, dtype=None):
    """An array of the shape of another one, whose entries may be anything.

    Args:
        x: array, used for its shape and dtype.
        dtype: that of `x` by default.

    Returns:
        Array of the shape of `x`.

    >>> empty_like([[1, 2, 3]]).shape
    (1, 3)
    """
    x = as_array(x)
    return jnp.empty(x.shape, _of(x, dtype))


@op
def zeros_like(x, dtype=None):
    """An array of zeros, of the shape of another one.

    Args:
        x: array, used for its shape and dtype.
        dtype: that of `x` by default.

    Returns:
        Array of the shape of `x`.

    >>> zeros_like([[1, 2, 3]]).tolist()
    [[0, 0, 0]]
    """
    x = as_array(x)
    return jnp.zeros(x.shape, _of(x, dtype))


@op
def ones_like(x, dtype=None):
    """An array of ones, of the shape of another one.

    Args:
        x: array, used for its shape and dtype.
        dtype: that of `x` by default.

    Returns:
        Array of the shape of `x`.

    >>> ones_like([[1, 2, 3]], dtype="float32").tolist()
    [[1.0, 1.0, 1.0]]
    """
    x = as_array(x)
    return jnp.ones(x.shape, _of(x, dtype))


@op(tensors=("x", "fill_value"))
def full_like(x, fill_value, dtype=None):
    """An array filled with one number, of the shape of another one.

    Args:
        x: array, used for its shape and dtype.
        fill_value: number, or array that broadcasts to the shape of `x`.
        dtype: that of `x` by default.

    Returns:
        Array of the shape of `x`.

    >>> full_like([[1, 2, 3]], 7).tolist()
    [[7, 7, 7]]
    """
    x = as_array(x)
    return jnp.full(x.shape, as_operand(fill_value), _of(x, dtype))


def eye(N, M=None, k=0, dtype=None):
    """A matrix with ones on one diagonal and zeros elsewhere.

    Args:
        N: int, number of rows.
        M: int, number of columns; `N` by default.
        k: int, the diagonal: 0 is the main one, positive ones lie above it.
        dtype: `floatx()` by default.

    Returns:
        (N, M) array.

    >>> eye(2, 3, k=1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return jnp.eye(N, M, k, _dtype(dtype))


def identity(n, dtype=None):
    """The identity matrix.

    Args:
        n: int, number of rows and columns.
        dtype: `floatx()` by default.

    Returns:
        (n, n) array.

    >>> identity(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return jnp.eye(n, dtype=_dtype(dtype))


def tri(N, M=None, k=0, dtype=None):
    """A matrix with ones on and below one diagonal and zeros above it.

    Args:
        N: int, number of rows.
        M: int, number of columns; `N` by default.
        k: int, the diagonal: 0 is the main one, positive ones lie above it.
        dtype: `floatx()` by default.

    Returns:
        (N, M) array.

    >>> tri(2, 3).tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    return jnp.tri(N, M, k, _dtype(dtype))


def _float_dtype(dtype, *values):
    """The given dtype, or the float one of the values."""
    return _dtype(_common((*values, 1.0)) if dtype is None else dtype)


@op(tensors=("start", "stop"))
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """Evenly spaced numbers from start to stop.

    Args:
        start: number or array, the first one.
        stop: number or array, the last one if `endpoint`.
        num: int, how many.
        endpoint: include `stop`.
        retstep: return the step too.
        dtype: float by default.
        axis: int, where the new axis goes if `start` or `stop` is an array.

    Returns:
        Array with a new axis of size `num`; with `retstep` also the step.

    >>> linspace(0, 10, 5).tolist()
    [0.0, 2.5, 5.0, 7.5, 10.0]
    """
    dtype = _float_dtype(dtype, start, stop)
    start, stop = as_operand(start), as_operand(stop)
    return jnp.linspace(start, stop, num, endpoint, retstep, dtype, axis=axis)


@op(tensors=("start", "stop"))
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """Numbers from base^start to base^stop whose logarithms are evenly spaced.

    Args:
        start: number or array, the first exponent.
        stop: number or array, the last exponent if `endpoint`.
        num: int, how many.
        endpoint: include base^stop.
        base: number > 0.
        dtype: float by default.
        axis: int, where the new axis goes if `start` or `stop` is an array.

    Returns:
        Array with a new axis of size `num`.

    >>> logspace(0, 2, 3).round().tolist()
    [1.0, 10.0, 100.0]
    """
    dtype = _float_dtype(dtype, start, stop)
    start, stop = as_operand(start), as_operand(stop)
    return jnp.logspace(start, stop, num, endpoint, base, dtype, axis)


@op(tensors=("start", "stop"))
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """Numbers from start to stop with a constant ratio.

    Args:
        start: number or array that is not 0, the first one.
        stop: number or array of the same sign, the last one if `endpoint`.
        num: int, how many.
        endpoint: include `stop`.
        dtype: float by default.
        axis: int, where the new axis goes if `start` or `stop` is an array.

    Returns:
        Array with a new axis of size `num`.

    >>> geomspace(1, 8, 4).round().tolist()
    [1.0, 2.0, 4.0, 8.0]
    """
    dtype = _float_dtype(dtype, start, stop)
    start, stop = as_operand(start), as_operand(stop)
    return jnp.geomspace(start, stop, num, endpoint, dtype, axis)


@op(tensors=("x",))
def meshgrid(*x, indexing="xy"):
    """Coordinates of the points of a grid.

    Args:
        *x: for each axis of the grid, the array of its coordinates, which is flattened.
        indexing: "ij" gives the axes of the grid in the order of the arguments, "xy"
            with the first two exchanged.

    Returns:
        List of arrays, one for each argument, all of the shape of the grid.

    >>> [a.tolist() for a in meshgrid([1, 2], [5, 6, 7], indexing="ij")]
    [[[1, 1, 1], [2, 2, 2]], [[5, 6, 7], [5, 6, 7]]]
    """
    # JAX wants arrays of one axis; numpy and Keras flatten the others.
    return jnp.meshgrid(*(as_array(axis).ravel() for axis in x), indexing=indexing)


def _diag_spec(trace, x, k=0):
    """An unknown size for the diagonal of a matrix of unknown sizes."""
    # A trace would call it the smaller of the sizes that it takes for None.
    if len(x.shape) == 2 and None in x.shape:
        return KerasTensor((None,), x.dtype)
    return trace(x)


@op(spec=_diag_spec)
def diag(x, k=0):
    """A diagonal of a matrix, or the matrix with `x` on a diagonal.

    Args:
        x: array of one axis or of two.
        k: int, the diagonal: 0 is the main one, positive ones lie above it.

    Returns:
        Array of one axis for a matrix; (n + |k|, n + |k|) matrix for n entries.

    >>> diag([[1, 2], [3, 4]], k=1).tolist()
    [2]
    >>> diag([5, 6]).tolist()
    [[5, 0], [0, 6]]
    """
    return jnp.diag(as_array(x), k)


def _smaller_sizes(trace, x, k=0):
    """Trace with smaller sizes in place of None."""
    # The result has the square of the number of entries: with 5040 for each of two
    # unknown sizes that is 5040⁴, more than an int32 can count.
    del k
    return trace(x, fills=(12, 24))


@op(spec=_smaller_sizes)
def diagflat(x, k=0):
    """The matrix with all entries of `x` on a diagonal.

    Args:
        x: array of n entries in any shape.
        k: int, the diagonal: 0 is the main one, positive ones lie above it.

    Returns:
        (n + |k|, n + |k|) array.

    >>> diagflat([[5], [6]]).tolist()
    [[5, 0], [0, 6]]
    """
    return jnp.diagflat(as_array(x), k)


@op
def tril(x, k=0):
    """`x` with zeros above a diagonal of its last two axes.

    Args:
        x: (…, n, m) array.
        k: int, the diagonal: 0 is the main one, positive ones lie above it.

    Returns:
        Array of the shape and dtype of `x`.

    >>> tril([[1, 2], [3, 4]]).tolist()
    [[1, 0], [3, 4]]
    """
    return jnp.tril(as_array(x), k)


@op
def triu(x, k=0):
    """`x` with zeros below a diagonal of its last two axes.

    Args:
        x: (…, n, m) array.
        k: int, the diagonal: 0 is the main one, positive ones lie above it.

    Returns:
        Array of the shape and dtype of `x`.

    >>> triu([[1, 2], [3, 4]]).tolist()
    [[1, 2], [0, 4]]
    """
    return jnp.triu(as_array(x), k)


@op
def vander(x, N=None, increasing=False):
    """Vandermonde matrix: the powers of `x` in its columns.

    Args:
        x: (n,) array.
        N: int, number of columns; n by default.
        increasing: powers 0, 1, … from left to right; else from right to left.

    Returns:
        (n, N) array.

    >>> vander([2, 3], 3).tolist()
    [[4, 2, 1], [9, 3, 1]]
    """
    return jnp.vander(as_array(x), N, increasing)

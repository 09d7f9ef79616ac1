"""Array-likes become arrays: what every op does first, and casts."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes, variable
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.core.variable import as_array

__all__ = [
    "array", "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor",
    "ndim", "saturate_cast", "shape", "view",
]  # fmt: skip

_NUMBERS = frozenset((int, float, bool, complex))


def as_operand(x):
    """As `as_array`, but Python numbers stay weakly typed: they take no width."""
    kind = type(x)
    return x if kind in variable.array_types or kind in _NUMBERS else as_array(x)


def promote(*xs):
    """Array-likes -> arrays of their common dtype; Python numbers take no width."""
    xs = list(map(as_operand, xs))
    if len({getattr(x, "dtype", None) for x in xs}) == 1 and hasattr(xs[0], "dtype"):
        return xs
    dtype = jnp.result_type(*xs)
    return [as_array(x).astype(dtype) for x in xs]


CORE = "keras.src.ops.core"
MATH = "keras.src.ops.math"


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """An array of anything that holds numbers.

    Args:
        x: array, Variable, number or nested list; a KerasTensor is only cast.
        dtype: name of a dtype; None keeps that of `x`.
        sparse: False makes a sparse array dense; else it stays sparse.
        ragged: must be None or False: JAX has no ragged arrays.

    Returns:
        JAX array, sparse `BCOO` array or KerasTensor.

    >>> convert_to_tensor([1, 2], "float32").tolist()
    [1.0, 2.0]
    """
    if not isinstance(x, KerasTensor):
        return variable.convert_to_tensor(x, dtype, sparse, ragged)
    if x.sparse and sparse is False:
        x = _densify(x, sparse=False)
    return x if dtype is None or x.dtype == str(dtype) else cast(x, dtype)


@op(name="ConvertToTensor", tensors=("x",), module=CORE)
def _densify(x, dtype=None, sparse=None, ragged=None):
    return variable.convert_to_tensor(x, dtype, sparse, ragged)


@op
def array(x, dtype=None):
    """An array of anything that holds numbers.

    Args:
        x: array, Variable, number or nested list.
        dtype: name of a dtype; None keeps that of `x`.

    Returns:
        JAX array.

    >>> array([[1, 2]], dtype="float32").tolist()
    [[1.0, 2.0]]
    """
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x):
    """A NumPy array of anything that holds numbers, with memory of its own.

    Args:
        x: array, Variable, number or nested list; a sparse array becomes dense.

    Returns:
        `numpy.ndarray` that can be changed.

    >>> convert_to_numpy(jnp.arange(3))
    array([0, 1, 2], dtype=int32)
    """
    return np.array(x.todense() if variable.is_sparse(x) else x)


def is_tensor(x) -> bool:
    """True for a JAX array, a sparse array or a KerasTensor.

    Args:
        x: any object.

    Returns:
        Bool.

    >>> is_tensor(jnp.ones(2)), is_tensor([1.0, 1.0])
    (True, False)
    """
    return isinstance(x, (jax.Array, KerasTensor)) or variable.is_sparse(x)


@op(name="Cast", tensors=("x",), module=CORE)
def cast(x, dtype):
    """`x` in another dtype.

    Args:
        x: array of any shape.
        dtype: name of a dtype.

    Returns:
        Array of the shape of `x`; floats are truncated to ints.

    >>> cast([0.0, 2.5], "int32").tolist()
    [0, 2]
    """
    return variable.convert_to_tensor(x, dtypes.standardize_dtype(dtype))


@op(tensors=("x",), module=CORE)
def saturate_cast(x, dtype):
    """`x` in another dtype, with numbers beyond its range at the bounds of the range.

    Args:
        x: array of any shape.
        dtype: name of a dtype.

    Returns:
        Array of the shape of `x`.

    >>> saturate_cast([-5.0, 300.0], "uint8").tolist()
    [0, 255]
    """
    x, dtype = as_array(x), dtypes.as_jax(dtype)
    if dtype.name == "bool":
        return x.astype(dtype)
    limits, own = _limits(dtype), _limits(x.dtype)
    low, high = (max(own[0], limits[0]), min(own[1], limits[1]))
    return jnp.clip(x, *_inside(low, high, x.dtype)).astype(dtype)


def _limits(dtype):
    if dtype.name == "bool":
        return 0, 1
    info = jnp.finfo if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo
    return info(dtype).min, info(dtype).max


def _inside(low, high, dtype):
    """Bounds as numbers of `dtype` that do not round to outside [low, high]."""
    if not jnp.issubdtype(dtype, jnp.floating):
        return np.array(int(low), dtype), np.array(int(high), dtype)
    bounds = []
    for bound, inwards in ((low, np.inf), (high, -np.inf)):
        number = np.array(float(bound), dtype)
        if abs(float(number)) > abs(float(bound)):
            number = np.nextafter(number, np.array(inwards, dtype))
        bounds.append(number)
    return tuple(bounds)


@op(tensors=("x",))
def view(x, dtype=None):
    """The bits of `x` read as another dtype.

    Args:
        x: array of any shape.
        dtype: name of a dtype of any width; that of `x` by default.

    Returns:
        Array whose last size changes with the width.

    >>> view(np.array([1.0], "float32"), "int32").tolist()
    [1065353216]
    """
    x = as_array(x)
    return x if dtype is None else x.view(dtypes.as_jax(dtype))


def shape(x) -> tuple:
    """The shape as a tuple.

    Args:
        x: array, Variable, number, nested list or KerasTensor.

    Returns:
        Tuple of ints; None for an unknown size of a KerasTensor.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape if hasattr(x, "shape") else as_array(x).shape)


def dtype(x) -> str:
    """The name of the dtype.

    Args:
        x: array, Variable, number, nested list or KerasTensor.

    Returns:
        String such as "float32".

    >>> dtype([1.5])
    'float32'
    """
    return dtypes.standardize_dtype(
        x.dtype if hasattr(x, "dtype") else as_array(x).dtype
    )


def ndim(x) -> int:
    """Number of axes.

    Args:
        x: array, Variable, number, nested list or KerasTensor.

    Returns:
        Int.

    >>> ndim([[1, 2, 3]])
    2
    """
    return len(shape(x))

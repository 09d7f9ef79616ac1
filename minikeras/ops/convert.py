"""Conversions to arrays, with which every op starts, and casts."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes, variable
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.core.variable import as_array
from minikeras.ops.keras_modules import CORE

__all__ = [
    "array", "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor",
    "ndim", "saturate_cast", "shape", "view",
]  # fmt: skip

DType = str | np.dtype | type | None

# Every op looks up the type of each operand: a set is the cheapest test.
_NUMBERS = frozenset((int, float, bool, complex))


def as_operand(x: Any) -> Any:
    """As `as_array`, but Python numbers stay numbers."""
    # JAX types them weakly: float16 + 2.5 stays float16, as in Keras.
    kind = type(x)
    return x if kind in variable.array_types or kind in _NUMBERS else as_array(x)


def promote(*xs: Any) -> list:
    """Arrays of the common dtype; Python numbers do not widen it."""
    arrays = list(map(as_operand, xs))
    # The usual case, of equal dtypes, needs no call of `result_type`.
    dtypes_given = {getattr(x, "dtype", None) for x in arrays}
    if len(dtypes_given) == 1 and hasattr(arrays[0], "dtype"):
        return arrays
    dtype = jnp.result_type(*arrays)
    return [as_array(x).astype(dtype) for x in arrays]


def as_float(x: Any, dtype: DType = "float32") -> Any:
    """Integers and bools as `dtype`; floats and complex numbers as they are."""
    x = as_array(x)
    inexact = jnp.issubdtype(x.dtype, jnp.inexact)
    return x if inexact else x.astype(dtypes.as_jax(dtype))


def half_to_float32(x: jax.Array) -> jax.Array:
    """Half floats as float32; other dtypes as they are."""
    # A running sum of 0.1 in float16 stops at 256, where 0.1 is less than half of the
    # last bit.
    return x.astype("float32") if x.dtype.name in ("float16", "bfloat16") else x


def as_arrays(tree: Any) -> Any:
    """The tree with arrays in place of anything that holds numbers."""
    return jax.tree_util.tree_map(as_array, tree)


def convert_to_tensor(
    x: Any,
    dtype: DType = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
) -> Any:
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
    # A KerasTensor has no values: a node changes its dtype, another one its storage.
    if x.sparse and sparse is False:
        x = _densify(x, sparse=False)
    return x if dtype is None or x.dtype == str(dtype) else cast(x, dtype)


@op(name="ConvertToTensor", tensors=("x",), module=CORE)
def _densify(x, dtype=None, sparse=None, ragged=None):
    """The node that makes a sparse KerasTensor dense."""
    return variable.convert_to_tensor(x, dtype, sparse, ragged)


@op
def array(x: Any, dtype: DType = None) -> Any:
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


def convert_to_numpy(x: Any) -> np.ndarray:
    """A NumPy array of anything that holds numbers, with memory of its own.

    Args:
        x: array, Variable, number or nested list; a sparse array becomes dense.

    Returns:
        `numpy.ndarray` that can be changed.

    >>> convert_to_numpy(jnp.arange(3))
    array([0, 1, 2], dtype=int32)
    """
    return np.array(x.todense() if variable.is_sparse(x) else x)


def is_tensor(x: Any) -> bool:
    """True for a JAX array, a sparse array or a KerasTensor.

    Args:
        x: any object.

    Returns:
        Bool.

    >>> is_tensor(jnp.ones(2)), is_tensor([1.0, 1.0])
    (True, False)
    """
    # As in Keras on JAX, arrays of numpy are none.
    return isinstance(x, (jax.Array, KerasTensor)) or variable.is_sparse(x)


@op(name="Cast", tensors=("x",), module=CORE)
def cast(x: Any, dtype: DType) -> Any:
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
def saturate_cast(x: Any, dtype: DType) -> Any:
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
    # Bounds of both dtypes: those of int32 are no numbers of int8.
    limits, own = _limits(dtype), _limits(x.dtype)
    low, high = (max(own[0], limits[0]), min(own[1], limits[1]))
    return jnp.clip(x, *_inside(low, high, x.dtype)).astype(dtype)


def _limits(dtype):
    """(least, greatest) number of a dtype."""
    if dtype.name == "bool":
        return 0, 1
    info = jnp.finfo if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo
    return info(dtype).min, info(dtype).max


def _inside(low, high, dtype):
    """Bounds as numbers of `dtype` that do not round to outside [low, high]."""
    if not jnp.issubdtype(dtype, jnp.floating):
        return np.array(int(low), dtype), np.array(int(high), dtype)
    # 2³¹ - 1 rounds to the float32 2³¹, which overflows int32. The one before is
    # 2³¹ - 128.
    bounds = []
    for bound, inwards in ((low, np.inf), (high, -np.inf)):
        number = np.array(float(bound), dtype)
        if abs(float(number)) > abs(float(bound)):
            number = np.nextafter(number, np.array(inwards, dtype))
        bounds.append(number)
    return tuple(bounds)


@op(tensors=("x",))
def view(x: Any, dtype: DType = None) -> Any:
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


def shape(x: Any) -> tuple:
    """The shape as a tuple.

    Args:
        x: array, Variable, number, nested list or KerasTensor.

    Returns:
        Tuple of ints; None for an unknown size of a KerasTensor.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape if hasattr(x, "shape") else as_array(x).shape)


def dtype(x: Any) -> str:
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


def ndim(x: Any) -> int:
    """Number of axes.

    Args:
        x: array, Variable, number, nested list or KerasTensor.

    Returns:
        Int.

    >>> ndim([[1, 2, 3]])
    2
    """
    return len(shape(x))

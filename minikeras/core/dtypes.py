"""Dtypes by name, and their promotion."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.settings import floatx

FLOATS = ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "float32", "float64")
INTS = (
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
)  # fmt: skip
COMPLEX = ("complex64", "complex128")
ALLOWED = {*FLOATS, *INTS, *COMPLEX, "bool", "string"}

# Keras gives Python's numbers 32 bits, numpy would give them 64.
_PYTHON = {
    bool: "bool",
    int: "int32",
    "int": "int32",
    str: "string",
    complex: "complex64",
}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype.

    Args:
        dtype: name, Python type, numpy or JAX dtype; None is `floatx()`.

    Returns:
        A name, such as `"float32"`.

    Raises:
        ValueError: it is no dtype of Keras.

    >>> standardize_dtype(None), standardize_dtype(int), standardize_dtype(np.float16)
    ('float32', 'int32', 'float16')
    """
    if dtype is None:
        return floatx()
    if isinstance(dtype, str) and dtype in ALLOWED:
        return dtype
    if dtype is float:
        return floatx()
    name = _PYTHON.get(dtype) if isinstance(dtype, (type, str)) else None
    if name is None:
        try:
            name = np.dtype(dtype).name if not isinstance(dtype, str) else dtype
        except TypeError:
            name = getattr(dtype, "name", str(dtype))
    if name not in ALLOWED:
        raise ValueError(f"Invalid dtype: {dtype!r}. Known: {sorted(ALLOWED)}.")
    return name


def is_text(x: Any) -> bool:
    """Is it an array of NumPy that JAX cannot hold: strings, bytes or objects?"""
    return isinstance(x, np.ndarray) and x.dtype.kind in "OSUT"


def as_jax(dtype: Any) -> np.dtype:
    """The dtype of jax.numpy for any spelling of a dtype."""
    return jnp.dtype(standardize_dtype(dtype))


def standardize_shape(shape: Iterable[Any] | None) -> tuple[Any, ...]:
    """Turn a shape into a tuple of ints >= 0 or None; ValueError names a bad entry."""
    if shape is None:
        raise ValueError("A shape cannot be None (unknown rank).")
    if isinstance(shape, (int, np.integer)):
        raise ValueError(f"A shape must be a tuple of ints, got {shape!r}.")
    sizes = []
    for size in shape:
        if size is None:
            sizes.append(None)
            continue
        if not hasattr(size, "__index__") or isinstance(size, bool):
            raise ValueError(
                f"A shape holds ints or None, got {size!r} ({type(size).__name__}) "
                f"in {tuple(shape)}."
            )
        if size.__index__() < 0:
            raise ValueError(f"A size cannot be negative: got {tuple(shape)}.")
        sizes.append(size.__index__())
    return tuple(sizes)


def allocatable_shape(shape: Iterable[Any] | None) -> tuple[Any, ...]:
    """`standardize_shape` of an array that will be made; ValueError if none can be."""
    sizes = standardize_shape(shape)
    # XLA ends the process where the number of bytes is no 64-bit integer.
    if math.prod(size or 0 for size in sizes) >= 1 << 44:
        raise ValueError(f"An array of shape {sizes} does not fit into any memory.")
    return sizes


def list_leaves(x: Iterable[Any]) -> Iterator[Any]:
    """The items of nested lists and tuples, left to right."""
    for item in x:
        if isinstance(item, (list, tuple)):
            yield from list_leaves(item)
        else:
            yield item


def python_dtype(x: Any) -> str | None:
    """The dtype of a Python number or of nested lists of them; None for all else."""
    if isinstance(x, bool):
        return "bool"
    if isinstance(x, int):
        return "int32"
    if isinstance(x, float):
        return floatx()
    if isinstance(x, (list, tuple)):
        kinds = {type(leaf) for leaf in list_leaves(x)}
        if kinds <= {bool, int, float}:
            if float in kinds or not kinds:
                return floatx()
            return "int32" if int in kinds else "bool"
    return None


def is_float(dtype: Any) -> bool:
    """Is it one of the float dtypes?

    Args:
        dtype: any spelling of a dtype.

    >>> is_float("bfloat16"), is_float(int)
    (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int(dtype: Any) -> bool:
    """Is it one of the signed or unsigned integer dtypes?

    Args:
        dtype: any spelling of a dtype.
    """
    return standardize_dtype(dtype) in INTS


def result_type(*dtypes: Any) -> str:
    """The dtype of the result of an operation on arrays of these dtypes.

    Python's `int` and `float` are weak: they take the other operand's width.

    Args:
        *dtypes: any spellings of dtypes; none at all give `floatx()`.

    Raises:
        ValueError: float8 or strings together with another dtype.

    >>> result_type("int32", float), result_type(int, "float16")
    ('float32', 'float16')
    """
    if not dtypes:
        return floatx()
    weak = [kind(1) for kind in (int, float) if kind in dtypes]
    names = {standardize_dtype(d) for d in dtypes if d is not int and d is not float}
    if any(name.startswith("float8") for name in names):
        raise ValueError(
            "result_type: There is no implicit conversions from float8 dtypes, which "
            f"do not mix with anything, got {sorted(names)}. Cast one of them."
        )
    if "string" in names:
        if len(names) > 1 or weak:
            raise ValueError(f"result_type: {dtypes}: strings do not mix with numbers.")
        return "string"
    if "uint64" in names and any(name[0] == "i" for name in names):
        # No integer dtype holds both ranges, so the result is a float, as in Keras.
        # In 32-bit mode JAX itself would take int32.
        weak.append(1.0)
    strong = [jax.dtypes.canonicalize_dtype(as_jax(name)) for name in names]
    return standardize_dtype(jnp.result_type(*strong, *weak))

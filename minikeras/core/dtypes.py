"""Dtypes by name, and their promotion."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.settings import floatx

FLOATS = ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "float32", "float64")


INTS = (
    *("int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)


COMPLEX = ("complex64", "complex128")


ALLOWED = {*FLOATS, *INTS, *COMPLEX, "bool", "string"}


_PYTHON = {bool: "bool", int: "int32", "int": "int32", str: "string"}


_PYTHON[complex] = "complex64"


def standardize_dtype(dtype) -> str:
    """Any spelling of a dtype -> its name; None -> `floatx()`.

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


def as_jax(dtype):
    """Name -> what jax.numpy takes as a dtype."""
    return jnp.dtype(standardize_dtype(dtype))


def standardize_shape(shape) -> tuple:
    """Tuple of ints >= 0 or None; ValueError / TypeError names the bad entry."""
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


def is_float(dtype) -> bool:
    """Is it one of the float dtypes?

    >>> is_float("bfloat16"), is_float(int)
    (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int(dtype) -> bool:
    """Is it one of the signed or unsigned integer dtypes?"""
    return standardize_dtype(dtype) in INTS


def result_type(*dtypes) -> str:
    """The dtype that an operation on arrays of these dtypes gives.

    Python's `int` and `float` are weak: they take the other operand's width.

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
        weak.append(1.0)  # no integer dtype holds both
    strong = [jax.dtypes.canonicalize_dtype(as_jax(name)) for name in names]
    return standardize_dtype(jnp.result_type(*strong, *weak))

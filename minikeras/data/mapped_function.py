"""A function over elements of a data set, for threads and for worker processes.

A worker process imports this file without JAX, so it needs NumPy alone.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np


class MappedFunction:
    """`mapped[element]` is `function(*element)` for tuples, else `function(element)`.

    The results are arrays of NumPy, in tuples and dicts.

    Args:
        function: takes the parts of an element.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __getitem__(self, element: Any) -> Any:
        found = call_on(self.function, element)
        if found is None:
            raise TypeError(
                f"{self.function} returned None, which is no element. Does it lack a "
                "`return`?"
            )
        return to_element(tuple(found) if isinstance(found, list) else found)


def call_on(function: Callable[..., Any], element: Any) -> Any:
    """Call a function of the parts of a tuple, or of another element as one."""
    parts = element if isinstance(element, tuple) else (element,)
    return function(*parts)


def to_element(value: Any) -> Any:
    """What a user gives as an element, as arrays of NumPy in tuples and dicts.

    Lists are arrays. Strings become arrays of objects: one long text does not make
    the others of its batch take as much memory. Numbers of Python have 32 bits.
    """
    if isinstance(value, tuple):
        parts = [to_element(x) for x in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, dict):
        return {key: to_element(x) for key, x in value.items()}
    if value is None or type(value) is np.ndarray and value.dtype.kind not in "SU":
        return value
    jax = sys.modules.get("jax")
    if hasattr(value, "detach"):  # a tensor of PyTorch
        value = value.detach().cpu()
    is_array = isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "dtype")
    if jax is not None and isinstance(value, jax.core.Tracer):
        raise TypeError(f"A data set cannot hold the tracer {value}.")
    array = np.asarray(value)
    if array.dtype.kind in "SU":
        return array.astype(object)
    if not is_array and array.dtype == np.float64:
        return array.astype("float32")
    if not is_array and array.dtype == np.int64:
        short = array.astype("int32")
        return short if np.array_equal(short, array) else array
    return array

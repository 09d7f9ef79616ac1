"""Arrays from pickles, without running any: what old data sets are stored in.

Python's unpickler calls only what `find_class` gives it. Here that is never a function
of NumPy or Python, but the stand-ins below, which keep their arguments. Arrays are
built afterwards, from states that were checked.
"""

import io
import math
import pickle
import re
import zipfile
from typing import Any

import numpy as np

_NAMES = {
    ("numpy", "ndarray"): "array",
    ("numpy", "dtype"): "dtype",
    ("numpy.core.multiarray", "_reconstruct"): "array",
    ("numpy._core.multiarray", "_reconstruct"): "array",
}
# A dtype of plain numbers, or object: not a structure, not text.
_PLAIN = re.compile(r"[biufcO][0-9]{0,2}")


class _Recorded:
    """What the pickle calls instead of NumPy: it records arguments and state."""

    __slots__ = ("kind", "arguments", "state")

    def __init__(self, kind, arguments=(), state=None):
        self.kind, self.arguments, self.state = kind, arguments, state

    def __call__(self, *arguments):
        return _Recorded(self.kind, arguments)

    def __setstate__(self, state):
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(
                f"Refusing to load {module}.{name} from the file of a data set: it "
                "may hold arrays, lists and numbers only. The file is damaged or "
                "malicious: delete it and get it again."
            )
        return _Recorded(_NAMES[module, name])

    def persistent_load(self, pid):
        raise pickle.UnpicklingError(f"Refusing to load the outside object {pid!r}.")


def load_arrays(data: bytes) -> Any:
    """The arrays, lists of integers, and dicts of both of a pickle.

    Strings of Python 2 become bytes. All else raises a `pickle.UnpicklingError`.

    >>> load_arrays(pickle.dumps({"labels": [3, 1]}))
    {'labels': [3, 1]}
    """
    try:
        value = _Unpickler(io.BytesIO(data), encoding="bytes").load()
        return _plain(value)
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # whatever damaged bytes lead to
        raise pickle.UnpicklingError(f"A damaged pickle of arrays: {error}") from error


def _plain(value, depth=2):
    """The value with arrays for stand-ins; an error for all but plain data."""
    if type(value) in (int, float, bool, str, bytes):
        return value
    if type(value) is list and set(map(type, value)) <= {int}:
        return value
    # Few levels: lists of lists of … of one list would unfold without end.
    if depth:
        if type(value) is list:
            return [_plain(entry, 0) for entry in value]
        if type(value) is dict:
            return {_key(k): _plain(entry, depth - 1) for k, entry in value.items()}
        if isinstance(value, _Recorded) and value.kind == "array":
            return _array(value.state)
    raise pickle.UnpicklingError(f"Refusing a {type(value).__name__} in a data set.")


def _key(key):
    if type(key) not in (bytes, str):
        raise pickle.UnpicklingError(f"Refusing {key!r} as the name of an array.")
    return key


def _array(state):
    """An array of the state (version, shape, dtype, is_fortran, content)."""
    _, shape, kind, is_fortran, content = state
    dtype = _dtype(kind)
    if not all(type(n) is int and n >= 0 for n in shape):
        raise pickle.UnpicklingError(f"Refusing the shape {shape!r}.")
    order = "F" if is_fortran else "C"
    if dtype.kind != "O":
        flat = np.frombuffer(content, dtype)
        return flat.reshape(shape, order=order).copy(order="K")
    if type(content) is not list or len(content) != math.prod(shape):
        raise pickle.UnpicklingError("An array of objects without its objects.")
    flat = np.empty(len(content), object)
    for i, entry in enumerate(content):  # `flat[:] =` takes equal lengths for axes
        flat[i] = _plain(entry, 0)
    return flat.reshape(shape, order=order)


def _dtype(kind):
    """The dtype of a recorded `numpy.dtype(code, …)`."""
    code = kind.arguments[0]
    code = code.decode() if isinstance(code, bytes) else code
    if kind.kind != "dtype" or not _PLAIN.fullmatch(code):
        raise pickle.UnpicklingError(f"Refusing an array of dtype {code!r}.")
    byte_order = (kind.state or (3, "="))[1]
    byte_order = byte_order.decode() if isinstance(byte_order, bytes) else byte_order
    return np.dtype(code).newbyteorder(byte_order)


def load_npz(path: str) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file; object arrays may hold lists of integers."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".npy"):
                arrays[name.removesuffix(".npy")] = _load_npy(archive.read(name))
    return arrays


def _load_npy(data):
    file = io.BytesIO(data)
    major, _ = np.lib.format.read_magic(file)
    # Version 3 differs from 2 only in the encoding of the names of fields.
    read = np.lib.format.read_array_header_1_0
    _, _, dtype = (read if major == 1 else np.lib.format.read_array_header_2_0)(file)
    if dtype.kind == "O":
        return load_arrays(file.read())
    return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)

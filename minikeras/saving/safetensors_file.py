"""Weights by variable path in the safetensors format, without its library.

A file is the length of a JSON header (8 bytes, little-endian), the header with type,
shape and place of each array, and the arrays. The library takes a copy of all arrays
to write them, and opens the path itself; here each array is written and read alone.

Source: https://github.com/huggingface/safetensors#format
"""

import functools
import json
import math
import os
import reprlib
import struct
from typing import IO, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes
from minikeras.core.platform import aligned_empty
from minikeras.saving import atomic_files, by_path, errors, safety
from minikeras.saving.h5_weights import assign_all
from minikeras.version import KERAS_VERSION

_NAMES = {
    "BF16": "bfloat16", "BOOL": "bool", "C64": "complex64", "F16": "float16",
    "F32": "float32", "F64": "float64", "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2", "I16": "int16", "I32": "int32", "I64": "int64",
    "I8": "int8", "U16": "uint16", "U32": "uint32", "U64": "uint64", "U8": "uint8",
}  # fmt: skip
_CODES = {name: code for code, name in _NAMES.items()}
# The library's own limit in bytes.
_MAX_HEADER = 100_000_000
_MAX_AXES = 64  # NumPy's limit


class Entry(NamedTuple):
    """One array of a file.

    Attributes:
        dtype: name of its type.
        shape: its shape.
        start: where its bytes begin in the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int


def read_header(file: IO[bytes]) -> tuple[dict[str, Entry], dict[str, str]]:
    """Read and check what arrays an open file has.

    Args:
        file: binary file, at its beginning.

    Returns:
        {name: Entry}, and the metadata.

    Raises:
        FileError: the header is damaged, or does not account for each byte.
    """
    total = safety.size_of(file)
    length = struct.unpack("<Q", file.read(8))[0] if total >= 8 else 0
    if not 2 <= length <= min(total - 8, _MAX_HEADER):
        fault = f"It is no safetensors file: a header of {length} bytes in {total}."
        raise errors.FileError(fault)
    header = safety.parse_json(file.read(length), "the header")
    if not isinstance(header, dict):
        raise errors.FileError("It is no dict.", place="the header")
    metadata = header.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict):
        raise errors.FileError("Its metadata are no dict.", place="the header")
    if not all(isinstance(x, str) for x in metadata.values()):
        raise errors.FileError("Its metadata are no strings.", place="the header")
    data = 8 + length
    entries, end = {}, 0
    for name, value in sorted(header.items(), key=_offset):
        entry, size = _entry(name, value, end)
        entries[name] = entry._replace(start=data + end)
        end += size
    if data + end != total:
        fault = f"Its arrays end at byte {data + end} of {total}."
        raise errors.FileError(fault, remedy="Copy the file once more.")
    return entries, metadata


def _offset(item):
    """The first byte of an array, which orders the entries; 0 if it is damaged."""
    try:
        begin, end = item[1]["data_offsets"]
        return int(begin), int(end)
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0, 0


def _entry(name, value, start):
    """(Entry, bytes) of an array that must begin at `start` of the data."""
    fields: dict[str, Any] = value if isinstance(value, dict) else {}
    shape, code = fields.get("shape"), fields.get("dtype")
    if not isinstance(code, str) or code not in _NAMES or not _is_shape(shape):
        fault = f"Unknown type or shape: {code}, {reprlib.repr(shape)}."
        raise errors.FileError(fault, place=name)
    size = math.prod(fields["shape"]) * _item_bytes(code)
    offsets = fields.get("data_offsets")
    if not _is_shape(offsets) or offsets != [start, start + size]:
        fault = (
            f"Its data_offsets are {reprlib.repr(offsets)}; with shape {shape} of "
            f"{code} behind the array before it, they must be {[start, start + size]}."
        )
        raise errors.FileError(fault, place=name, remedy="Copy the file once more.")
    return Entry(_NAMES[code], tuple(fields["shape"]), start), size


@functools.cache
def _item_bytes(code):
    return jnp.dtype(_NAMES[code]).itemsize


def _is_shape(x):
    """Is it a list of numbers that are no bools, floats or texts?"""
    sizes = x if isinstance(x, list) and len(x) <= _MAX_AXES else [None]
    return all(type(n) is int and 0 <= n < 2**63 for n in sizes)


def read_array(file: IO[bytes], entry: Entry) -> np.ndarray:
    """Read one array of an open file whose header was read."""
    array = aligned_empty(entry.shape, jnp.dtype(entry.dtype))
    file.seek(entry.start)
    if file.readinto(array.reshape(-1).view(np.uint8)) != array.nbytes:
        raise errors.FileError("It has become shorter while it was read.")
    return array


def write(model: Any, path: str | os.PathLike) -> None:
    """Write the weights of a model by their paths, without its optimizer.

    Args:
        model: a built model.
        path: path of the file.

    Raises:
        ValueError: a weight of a type that the format lacks.
    """
    weights = by_path.named_weights(model)
    metadata = {"format": "keras", "keras_version": KERAS_VERSION}
    write_arrays(path, {name: v.value for name, v in weights.items()}, metadata)


def write_arrays(
    path: str | os.PathLike, arrays: dict[str, Any], metadata: dict[str, str]
) -> None:
    """Write arrays by name.

    Args:
        path: path of the file, which is replaced when the new one is complete.
        arrays: {name: array of NumPy or JAX}.
        metadata: strings by name.

    Raises:
        ValueError: an array of a type that the format lacks.
    """
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    # Large items first, as the library writes them, so that each array is aligned.
    order = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    for name in order:
        array = arrays[name]
        if str(array.dtype) not in _CODES:
            raise ValueError(
                f"safetensors has no type {array.dtype}, which {name} has."
            )
        begin, end = end, end + math.prod(array.shape) * array.dtype.itemsize
        header[name] = {
            "dtype": _CODES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with atomic_files.replace_file(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            array = np.ascontiguousarray(arrays[name])
            file.write(array.reshape(-1).view(np.uint8).data)


def read(model: Any, path: str | os.PathLike, skip_mismatch: bool = False) -> None:
    """Assign the weights of a model from a file; all of them, or none.

    Args:
        model: a built model.
        path: path of the file.
        skip_mismatch: bool, whether to warn of weights that are missing or have another
            shape, and leave them unchanged; False raises an error that names them.

    Raises:
        FileError: the file is missing or damaged, or weights do not fit.
    """
    with errors.reading(path), safety.open_regular(path) as file:
        entries, _ = read_header(file)
        shapes = {name: entry.shape for name, entry in entries.items()}
        variables = by_path.named_weights(model)
        pairs = by_path.match(variables, shapes, skip_mismatch)
        assign_all((v, _on_device(file, entries[name], v.dtype)) for v, name in pairs)


def _on_device(file, entry, dtype):
    """Read an array straight into memory that the device uses."""
    value = read_array(file, entry)
    return jax.device_put(value.astype(dtypes.as_jax(dtype), copy=False))

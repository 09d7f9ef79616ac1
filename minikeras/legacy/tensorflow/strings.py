"""`tf.strings` of the stand-in for TensorFlow: functions of text, in NumPy."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from minikeras.data.dataset.iterator import as_data_array


def as_text(x: Any) -> np.ndarray:
    """Text as an array of `str`; bytes are UTF-8."""
    array = np.asarray(x).astype(object)
    return _each(lambda s: s.decode() if isinstance(s, bytes) else s, array)


def _each(function: Callable[[Any], Any], array: np.ndarray, dtype: Any = object):
    """Apply a function to each entry of an array."""
    array, found = np.asarray(array), np.empty(array.shape, dtype)
    for index in np.ndindex(array.shape):
        found[index] = function(array[index])
    return as_data_array(found)


def lower(input, encoding="", name=None):
    """Text in small letters; other than A to Z only with `encoding="utf-8"`."""
    change = str.lower if encoding else _ascii_lower
    return _each(change, as_text(input))


def _ascii_lower(s):
    return s.translate({i: i + 32 for i in range(65, 91)})


def upper(input, encoding="", name=None):
    """Text in capital letters; other than a to z only with `encoding="utf-8"`."""
    table = {i: i - 32 for i in range(97, 123)}
    change = str.upper if encoding else lambda s: s.translate(table)
    return _each(change, as_text(input))


def strip(input, name=None):
    """Text without white space at its ends."""
    return _each(str.strip, as_text(input))


def regex_replace(input, pattern, rewrite, replace_global=True, name=None):
    """Text with what matches a pattern replaced."""
    found, count = re.compile(pattern), 0 if replace_global else 1
    rewrite = re.sub(r"\\0", r"\\g<0>", rewrite)
    return _each(lambda s: found.sub(rewrite, s, count=count), as_text(input))


def regex_full_match(input, pattern, name=None):
    """Does a pattern match the whole text?"""
    found = re.compile(pattern)
    return _each(lambda s: found.fullmatch(s) is not None, as_text(input), bool)


def length(input, unit="BYTE", name=None):
    """Number of bytes, or with `unit="UTF8_CHAR"` of characters."""
    size = len if unit == "UTF8_CHAR" else lambda s: len(s.encode())
    return _each(size, as_text(input), "int32")


def substr(input, pos, len, unit="BYTE", name=None):
    """A part of the text."""
    cut = slice(pos, None if len < 0 else pos + len)
    if unit == "UTF8_CHAR":
        return _each(lambda s: s[cut], as_text(input))
    return _each(lambda s: s.encode()[cut].decode(errors="replace"), as_text(input))


def join(inputs, separator="", name=None):
    """Texts joined entry by entry."""
    arrays = np.broadcast_arrays(*map(as_text, inputs))
    found = arrays[0].astype(object)
    for array in arrays[1:]:
        found = found + separator + array
    return as_data_array(found)


def reduce_join(inputs, axis=None, keepdims=False, separator="", name=None):
    """The texts of an axis, or all of them, joined."""
    array = as_text(inputs)
    if axis is None:
        return as_data_array(
            np.array(separator.join(array.ravel().tolist()), dtype=object)
        )
    joined = np.apply_along_axis(
        lambda row: np.array(separator.join(row.tolist()), dtype=object), axis, array
    )
    return as_data_array(np.expand_dims(joined, axis) if keepdims else joined)


def split(input, sep=None, maxsplit=-1, name=None):
    """The words of one text; of several, an array of lists."""
    array = as_text(input)
    if array.ndim == 0:
        return as_data_array(np.array(array.item().split(sep, maxsplit), dtype=object))
    return _each(lambda s: s.split(sep, maxsplit), array)


def to_number(input, out_type="float32", name=None):
    """The numbers that texts spell."""
    return as_data_array(as_text(input).astype(getattr(out_type, "name", out_type)))


def as_string(input, precision=-1, width=-1, fill="", name=None):
    """Numbers as text, with `precision` digits after the point."""
    array = np.asarray(input)
    if array.dtype.kind == "b":
        return _each(lambda x: str(x).lower(), array)
    digits = 6 if precision < 0 else precision
    shape = f"{fill}{width if width > 0 else ''}"
    return _each(
        lambda x: format(x, f"{shape}.{digits}f" if array.dtype.kind == "f" else shape),
        array,
    )


def unicode_split(input, input_encoding="UTF-8", errors="replace", name=None):
    """The characters of one text; of several, an array of lists."""
    array = as_text(input)
    if array.ndim == 0:
        return as_data_array(np.array(list(array.item()), dtype=object))
    return _each(list, array)


def format_text(template, inputs=(), placeholder="{}", summarize=3, name=None):
    """A template with values in the place of its marks."""
    values = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    for value in values:
        shown = np.array2string(np.asarray(value), separator=" ")
        template = template.replace(placeholder, shown, 1)
    return as_data_array(template)


_NAMES = """as_string join length lower reduce_join regex_full_match regex_replace
    split strip substr to_number unicode_split upper"""
FUNCTIONS = {name: globals()[name] for name in _NAMES.split()} | {
    "bytes_split": unicode_split,
    "format": format_text,
}

"""Texts as lists of tokens: lower case, punctuation, splitting, n-grams.

Tokens are bytes, as in TensorFlow: only ASCII letters become lower, and only ASCII
white space and punctuation count.
"""

import itertools
import string
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from minikeras.ops.hashing import to_bytes

_LOWER = bytes.maketrans(
    string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
)
_PUNCTUATION = string.punctuation.encode()
# {name: arguments of `bytes.translate`: table, bytes to leave out}
STANDARDIZE = {
    "lower_and_strip_punctuation": (_LOWER, _PUNCTUATION),
    "lower": (_LOWER, b""),
    "strip_punctuation": (None, _PUNCTUATION),
}
SPLIT = ("whitespace", "character")
# For `bytes.translate`: 0 for ASCII white space, 1 for other bytes.
_IS_LETTER = bytes(byte not in string.whitespace.encode() for byte in range(256))


class Tokens(NamedTuple):
    """Tokens of several texts, one after the other.

    Attributes:
        values: list of bytes.
        lengths: (n,) int array, how many tokens each of the n texts has.
        shape: shape of the array of texts, of n entries.
    """

    values: list[bytes]
    lengths: np.ndarray
    shape: tuple[int, ...]


def padded(values: Any, lengths: Any, shape: Any, width: int | None, fill: int) -> Any:
    """Rows of these lengths as an array of `shape` + (width,).

    Args:
        values: numbers of the rows, one row after the other.
        lengths: (n,) int array.
        shape: tuple, of n entries.
        width: int, to which rows are cut and filled; None: the longest.
        fill: int that fills short rows.
    """
    if width is not None and lengths.max(initial=0) > width:
        # Cut first: one long text must not make all rows as long.
        starts = np.cumsum(lengths) - lengths
        places = np.arange(len(values)) - np.repeat(starts, lengths)
        values, lengths = values[places < width], np.minimum(lengths, width)
    longest = int(lengths.max(initial=0))
    if len(values) == len(lengths) * longest:  # all are of one length
        out = values.reshape(len(lengths), longest)
    else:
        out = np.full((len(lengths), longest), fill, values.dtype)
        out[np.arange(longest) < lengths[:, None]] = values
    if width is not None:
        out = np.pad(out, ((0, 0), (0, width - longest)), constant_values=fill)
    return out.reshape(*shape, out.shape[1])


def _as_str(x: np.ndarray, encoding: str) -> np.ndarray:
    """An array of str, from one of str, bytes or objects."""
    if x.dtype.kind in "UT":
        return x
    decoded = [b.decode(encoding) for b in to_bytes(x, encoding)]
    return str_array(decoded).reshape(x.shape)


def str_array(texts: list[str]) -> np.ndarray:
    """An array of str, for `np.strings`; of objects where one text is far longer."""
    longest = max(map(len, texts), default=0)
    wasteful = len(texts) * longest > 1_000_000 + 16 * sum(map(len, texts))
    return np.array(texts, object if wasteful else str)


def split_white_space(texts: list[bytes]) -> tuple[list[bytes], np.ndarray]:
    """The words of all texts, and how many each text has."""
    # One split of all texts takes half the time of one for each. Words are counted
    # where a letter follows white space, such as the line breaks between texts.
    joined = b"\n".join([b"", *texts])
    letters = np.frombuffer(joined.translate(_IS_LETTER), bool)
    begins = np.flatnonzero(letters[1:] & ~letters[:-1])
    ends = np.cumsum([len(text) + 1 for text in texts], dtype=np.int64) - 1
    lengths = np.diff(np.searchsorted(begins, ends), prepend=0)
    return joined.split(), lengths


def ngrams(tokens: Tokens, widths: Iterable[int]) -> Tokens:
    """All runs of neighbouring tokens, joined by a blank: of one width, of the next."""
    ends = np.cumsum(tokens.lengths).tolist()
    rows = [tokens.values[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    grams = [
        [b" ".join(row[i : i + n]) for n in widths for i in range(len(row) - n + 1)]
        for row in rows
    ]
    lengths = np.array([len(g) for g in grams], np.int64)
    return Tokens(list(itertools.chain(*grams)), lengths, tokens.shape)


def tokenize(
    texts: np.ndarray,
    standardize: str | Callable | None,
    split: str | Callable | None,
    widths: tuple[int, ...] | None,
    encoding: str,
) -> Tokens:
    """Cut texts into tokens.

    Args:
        texts: array of str or bytes, of any shape.
        standardize: a name of STANDARDIZE, None, or a function from an array of str to
            one.
        split: "whitespace", "character", None if the last axis holds tokens, or a
            function from an (n,) array of str to n lists of tokens.
        widths: of the n-grams; None for the tokens themselves.
        encoding: of bytes.
    """
    if callable(standardize):
        texts = np.asarray(standardize(_as_str(texts, encoding)))
    flat, shape = to_bytes(texts, encoding), texts.shape
    if isinstance(standardize, str):
        table, removed = STANDARDIZE[standardize]
        flat = [text.translate(table, removed) for text in flat]
    if split is None:
        length = shape[-1] if shape else 1
        lengths = np.full(len(flat) // max(length, 1), length, np.int64)
        tokens = Tokens(flat, lengths, shape[:-1])
    elif split == "whitespace":
        tokens = Tokens(*split_white_space(flat), shape)
    else:
        if callable(split):
            strings = str_array([t.decode(encoding) for t in flat])
            rows = [to_bytes(np.asarray(row), encoding) for row in split(strings)]
        else:
            rows = [to_bytes(list(t.decode("utf-8", "replace"))) for t in flat]
        lengths = np.array([len(row) for row in rows], np.int64)
        tokens = Tokens(list(itertools.chain(*rows)), lengths, shape)
    return tokens if widths is None else ngrams(tokens, widths)

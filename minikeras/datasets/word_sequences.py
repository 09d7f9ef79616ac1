"""What `imdb` and `reuters` share: texts as lists of ranks of words."""

from typing import Any

import numpy as np


def marked(sequences: Any, start_char: int | None, index_from: int) -> list[list[int]]:
    """Add `index_from` to all words, and put `start_char` in front of each text."""
    lengths = [len(sequence) for sequence in sequences]
    words = np.concatenate([np.empty(0, "int64"), *sequences]).astype("int64")
    if start_char is not None or index_from:
        words = words + index_from
    texts = _cut(words, lengths)
    return texts if start_char is None else [[start_char, *text] for text in texts]


def shorter_than(maxlen: int | None, sequences: list, labels: Any) -> tuple:
    """(the texts with fewer words than `maxlen`, their labels); all for 0 or None."""
    if not maxlen:
        return sequences, labels
    kept = [i for i, text in enumerate(sequences) if len(text) < maxlen]
    return [sequences[i] for i in kept], [labels[i] for i in kept]


def limited(
    sequences: list, num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Replace words outside of [skip_top, num_words) by `oov_char`; None: drop them."""
    lengths = [len(sequence) for sequence in sequences]
    words = np.concatenate([np.empty(0, "int64"), *sequences]).astype("int64")
    # Keras's bound if there is none is the last word itself: that word is left out too.
    known = (words >= skip_top) & (words < (num_words or words.max()))
    if oov_char is not None:
        return _cut(np.where(known, words, oov_char), lengths)
    before = np.cumsum([0, *known])
    ends = np.cumsum(lengths, dtype=int)
    kept = before[ends] - before[ends - np.asarray(lengths, int)]
    return _cut(words[known], kept.tolist())


def _cut(words, lengths):
    """Lists of these lengths out of one array."""
    flat, ends = words.tolist(), np.cumsum(lengths, dtype=int).tolist()
    return [flat[end - n : end] for end, n in zip(ends, lengths, strict=True)]

"""What `imdb` and `reuters` share: texts as lists of ranks of words."""

import itertools
from typing import Any

import numpy as np


def shorter_than(maxlen: int | None, texts: Any, labels: Any, start_char: Any) -> tuple:
    """(texts of fewer than `maxlen` words with `start_char`, labels); 0, None: all."""
    if not maxlen:
        return texts, labels
    room = maxlen - (start_char is not None)
    kept = np.array([len(text) < room for text in texts], bool)
    return texts[kept], labels[kept]


def encoded(
    texts: Any,
    num_words: int | None,
    skip_top: int,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> list[list[int]]:
    """Add `index_from`, put `start_char` in front, and leave out rare words.

    Words outside of [skip_top, num_words) become `oov_char`; None: they are dropped.
    """
    # One array of all words: 10 million words take a second, in lists four.
    lengths = np.fromiter(map(len, texts), "int64", len(texts))
    flat = itertools.chain.from_iterable(texts)
    words = np.fromiter(flat, "int64", lengths.sum()) + index_from
    ends = np.cumsum(lengths)
    if start_char is not None:
        words = np.insert(words, ends - lengths, start_char)
        lengths = lengths + 1
        ends = np.cumsum(lengths)
    # Keras's bound if there is none is the last word itself: that word is left out too.
    known = (words >= skip_top) & (words < (num_words or words.max()))
    if oov_char is None:
        before = np.concatenate([[0], np.cumsum(known)])
        lengths, words = before[ends] - before[ends - lengths], words[known]
        ends = np.cumsum(lengths)
    else:
        words = np.where(known, words, oov_char)
    numbers, starts = words.tolist(), (ends - lengths).tolist()
    return [numbers[a:b] for a, b in zip(starts, ends.tolist(), strict=True)]

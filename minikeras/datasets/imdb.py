"""25,000 + 25,000 film reviews of IMDB, good and bad, as numbers of words."""

import json

import numpy as np

from minikeras.datasets.array_pickles import load_npz
from minikeras.datasets.download import dataset_file
from minikeras.datasets.word_sequences import encoded, shorter_than

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_INDEX_HASH = "bfafd718b763782e994055a2d397834f"


def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **kwargs,
):
    """Load the IMDB reviews; a word is its rank by frequency plus `index_from`.

    Args:
        path: name of the file in the cache.
        num_words: words with numbers >= it are replaced by `oov_char`; None or 0: none.
        skip_top: words with numbers < it are replaced too.
        maxlen: reviews with `maxlen` words or more are left out; None: none.
        seed: of the shuffle.
        start_char: number in front of each review; None: nothing.
        oov_char: number for replaced words; None: they are dropped.
        index_from: number added to all ranks.
        **kwargs: none is taken.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of ints, and
        int64 labels, 1 for a good review.

    Raises:
        TypeError: an unknown argument.
        ValueError: no review is shorter than `maxlen`.

    Source: A. Maas et al., "Learning Word Vectors for Sentiment Analysis", 2011.
    """
    if kwargs:
        raise TypeError(f"imdb.load_data: unknown arguments {sorted(kwargs)}.")
    arrays = load_npz(dataset_file(path, f"{_ORIGIN}imdb.npz", _HASH))
    rng = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):
        texts, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        order = np.arange(len(texts))
        rng.shuffle(order)
        parts.append(shorter_than(maxlen, texts[order], labels[order], start_char))
    (x_train, y_train), (x_test, y_test) = parts
    if not len(x_train) or not len(x_test):
        raise ValueError(
            f"imdb.load_data: no review has fewer than maxlen={maxlen} words. Give a "
            "larger maxlen."
        )
    n, labels = len(x_train), np.concatenate([y_train, y_test])
    texts = np.concatenate([x_train, x_test])
    texts = encoded(texts, num_words, skip_top, start_char, oov_char, index_from)
    return (
        (np.array(texts[:n], dtype="object"), labels[:n]),
        (np.array(texts[n:], dtype="object"), labels[n:]),
    )


def get_word_index(path="imdb_word_index.json"):
    """Load the ranks of the words of the IMDB reviews.

    Args:
        path: name of the file in the cache.

    Returns:
        {word: rank}, from 1; `load_data` adds `index_from` to the rank.
    """
    origin = f"{_ORIGIN}imdb_word_index.json"
    with open(dataset_file(path, origin, _INDEX_HASH), encoding="utf-8") as file:
        return json.load(file)

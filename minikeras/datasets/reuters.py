"""11,228 newswires of Reuters of 46 topics, as numbers of words."""

import json

import numpy as np

from minikeras.datasets.array_pickles import load_npz
from minikeras.datasets.download import dataset_file
from minikeras.datasets.word_sequences import encoded, shorter_than

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_INDEX_HASH = "4d44cc38712099c9e383dc6e5f11a921"
_TOPICS = """
    cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade
    reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum
    oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat jobs
    lei bop zinc orange pet-chem dlr gas silver wpi hog lead"""


def load_data(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    """Load the newswires; a word is its rank by frequency plus `index_from`.

    Args:
        path: name of the file in the cache.
        num_words: words with numbers >= it are replaced by `oov_char`; None or 0: none.
        skip_top: words with numbers < it are replaced too.
        maxlen: texts with `maxlen` words or more are left out; None: none.
        test_split: float in [0, 1], the part for testing.
        seed: of the shuffle.
        start_char: number in front of each text; None: nothing.
        oov_char: number for replaced words; None: they are dropped.
        index_from: number added to all ranks.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: object arrays of lists of ints, and
        int64 topics in [0, 46), named by `get_label_names()`.

    Source: Reuters-21578, D. Lewis, 1997.
    """
    arrays = load_npz(dataset_file(path, f"{_ORIGIN}reuters.npz", _HASH))
    order = np.arange(len(arrays["x"]))
    np.random.RandomState(seed).shuffle(order)
    texts, labels = arrays["x"][order], arrays["y"][order]
    texts, labels = shorter_than(maxlen, texts, labels, start_char)
    texts = encoded(texts, num_words, skip_top, start_char, oov_char, index_from)
    n = int(len(texts) * (1 - test_split))
    return (
        (np.array(texts[:n], dtype="object"), np.array(labels[:n])),
        (np.array(texts[n:], dtype="object"), np.array(labels[n:])),
    )


def get_word_index(path="reuters_word_index.json"):
    """Load the ranks of the words of the newswires.

    Args:
        path: name of the file in the cache.

    Returns:
        {word: rank}, from 1; `load_data` adds `index_from` to the rank.
    """
    origin = f"{_ORIGIN}reuters_word_index.json"
    with open(dataset_file(path, origin, _INDEX_HASH), encoding="utf-8") as file:
        return json.load(file)


def get_label_names():
    """The names of the 46 topics, in the order of their numbers.

    Returns:
        Tuple of strings.

    >>> keras.datasets.reuters.get_label_names()[:3]
    ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())

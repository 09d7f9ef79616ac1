"""`keras.preprocessing.text`: words as numbers, and texts as lists of them."""

import collections
import hashlib
import json
import warnings

import numpy as np

__all__ = [
    "Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence",
    "tokenizer_from_json",
]  # fmt: skip

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")
_OPTIONS = """num_words filters lower split char_level oov_token
    document_count""".split()
# What `fit_on_texts` learns, in the order of Keras's files.
_TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def text_to_word_sequence(input_text, filters=_FILTERS, lower=True, split=" "):
    """The words of a text, a list of strings.

    Args:
        input_text: string.
        filters: characters that separate words, as `split` does.
        lower: bool, whether the words are in lower case.
        split: string between words.

    >>> text_to_word_sequence("The cat, the dog.")
    ['the', 'cat', 'the', 'dog']
    """
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in text.split(split) if word]


def one_hot(input_text, n, filters=_FILTERS, lower=True, split=" ", analyzer=None):
    """`hashing_trick` by Python's `hash`: each process has other numbers.

    Args:
        input_text, n, filters, lower, split, analyzer: as there.
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text, n, hash_function=None, filters=_FILTERS, lower=True, split=" ", analyzer=None,
):  # fmt: skip
    """The words of a text as a list of numbers in 1..n-1, by a hash.

    Args:
        text: string.
        n: int, size of the vocabulary.
        hash_function: function from a word to an int; None: Python's `hash`; "md5":
            one that is the same in each process.
        filters, lower, split: as in `text_to_word_sequence`.
        analyzer: another function from the text to its words, or None.

    >>> hashing_trick("Hello world hello", 10, "md5")
    [8, 9, 8]
    """
    if hash_function in (None, "md5"):
        hash_function = _md5 if hash_function else hash
    elif not callable(hash_function):
        raise ValueError(
            f'hashing_trick() expected hash_function=None, "md5" or a function, but '
            f"got {hash_function!r}."
        )
    words = _words(text, filters, lower, split, analyzer)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word):
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


def _words(text, filters, lower, split, analyzer):
    if analyzer is not None:
        return analyzer(text)
    return text_to_word_sequence(text, filters, lower, split)


def _vectors(sequences, size, mode, document_count, index_docs):
    """One row a sequence: what `mode` says of each index below `size`."""
    rows = np.zeros((len(sequences), size))
    for row, sequence in zip(rows, sequences, strict=True):
        counts = collections.Counter(index for index in sequence if index < size)
        for index, count in counts.items():
            if mode == "binary":
                row[index] = 1
            elif mode == "count":
                row[index] = count
            elif mode == "freq":
                row[index] = count / len(sequence)
            else:
                rarity = np.log(1 + document_count / (1 + index_docs.get(index, 0)))
                row[index] = (1 + np.log(count)) * rarity
    return rows


class Tokenizer:
    """Numbers the words of texts by how often they occur; 0 is no word.

    Args:
        num_words: int, only words below this number are kept; None: all.
        filters, lower, split: as in `text_to_word_sequence`.
        char_level: bool, whether each character is a word.
        oov_token: word that stands for all others, with number 1; None leaves them out.
        analyzer: function from a text to its words.
        **kwargs: `document_count`, or `nb_words`, the old name of `num_words`.

    >>> tokenizer = Tokenizer(num_words=3)
    >>> tokenizer.fit_on_texts(["the cat the dog", "the cat"])
    >>> tokenizer.texts_to_sequences(["a dog, the cat"])
    [[1, 2]]
    """

    def __init__(
        self, num_words=None, filters=_FILTERS, lower=True, split=" ", char_level=False,
        oov_token=None, analyzer=None, **kwargs,
    ):  # fmt: skip
        if "nb_words" in kwargs:
            warnings.warn(
                "Tokenizer(nb_words=...) is the old name of num_words.", stacklevel=2
            )
            num_words = kwargs.pop("nb_words")
        document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Tokenizer() got unexpected arguments: {sorted(kwargs)}.")
        self.num_words, self.document_count = num_words, document_count
        self.filters, self.split, self.lower = filters, split, lower
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts = collections.OrderedDict()
        self.word_docs = collections.defaultdict(int)
        self.index_docs = collections.defaultdict(int)
        self.word_index, self.index_word = {}, {}

    def _mk_words(self, text):
        if not (self.char_level or isinstance(text, list)):
            return _words(text, self.filters, self.lower, self.split, self.analyzer)
        if not self.lower:
            return text
        return text.lower() if isinstance(text, str) else [w.lower() for w in text]

    def fit_on_texts(self, texts):
        """Number the words of the texts, and count those of earlier calls with them.

        Args:
            texts: iterable of strings, or of lists of words.
        """
        for text in texts:
            self.document_count += 1
            words = self._mk_words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        # Words of one frequency stay in the order of their first use.
        counts = sorted(self.word_counts.items(), key=lambda pair: -pair[1])
        first = [] if self.oov_token is None else [self.oov_token]
        ranked = enumerate(first + [word for word, _ in counts], start=1)
        self.word_index = {word: index for index, word in ranked}
        self.index_word = {index: word for word, index in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences):
        """Count in how many sequences each number is, for the mode "tfidf".

        Args:
            sequences: list of lists of ints.
        """
        self.document_count += len(sequences)
        for sequence in sequences:
            for index in set(sequence):
                self.index_docs[index] += 1

    def texts_to_sequences(self, texts):
        """The numbers of the words of each text, a list of lists.

        Args:
            texts: iterable of strings, or of lists of words.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """As `texts_to_sequences`, but an iterator.

        Args:
            texts: as there.
        """
        unknown = self.word_index.get(self.oov_token)
        for text in texts:
            found = (self.word_index.get(word) for word in self._mk_words(text))
            indices = (index if self._mk_kept(index) else unknown for index in found)
            yield [index for index in indices if index is not None]

    def _mk_kept(self, index):
        return index is not None and not (self.num_words and index >= self.num_words)

    def sequences_to_texts(self, sequences):
        """Lists of numbers as a list of texts, words with a space between.

        Args:
            sequences: iterable of lists of ints.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """As `sequences_to_texts`, but an iterator.

        Args:
            sequences: as there.
        """
        unknown = self.index_word.get(self.word_index.get(self.oov_token))
        for sequence in sequences:
            found = (
                self.index_word.get(index) if self._mk_kept(index) else None
                for index in sequence
            )
            words = (unknown if word is None else word for word in found)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts, mode="binary"):
        """`sequences_to_matrix` of the numbers of the words of texts.

        Args:
            texts: iterable of strings, or of lists of words.
            mode: as there.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """Lists of numbers as a NumPy array, (lists, num_words).

        Args:
            sequences: list of lists of ints.
            mode: "binary", "count", "freq" (share in the list) or "tfidf"
                ((1 + log count) log(1 + documents / (1 + documents with the word))).
        """
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {_MODES}, but is {mode!r}.")
        if not (self.num_words or self.word_index):
            raise ValueError(
                "The number of columns is unknown. Give Tokenizer(num_words=...), or "
                "call fit_on_texts first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError(
                'mode="tfidf" needs the number of documents. Call fit_on_texts or '
                "fit_on_sequences first."
            )
        size = self.num_words or len(self.word_index) + 1
        return _vectors(sequences, size, mode, self.document_count, self.index_docs)

    def get_config(self):
        """What `tokenizer_from_json` needs; the tables are JSON in strings."""
        plain = {name: getattr(self, name) for name in _OPTIONS}
        return plain | {name: json.dumps(getattr(self, name)) for name in _TABLES}

    def to_json(self, **kwargs):
        """The tokenizer as a string, for `tokenizer_from_json`; no `analyzer`.

        Args:
            **kwargs: passed to `json.dumps`.
        """
        entry = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(entry, **kwargs)


def tokenizer_from_json(json_string):
    """The `Tokenizer` of a string that its method `to_json` made.

    Args:
        json_string: string.
    """
    config = json.loads(json_string).get("config") or {}
    if not set(_TABLES) <= set(config):
        raise ValueError(
            "tokenizer_from_json() expected a string of Tokenizer.to_json(), but it "
            f"has {sorted(config)} as its config."
        )
    tables = {name: json.loads(config.pop(name)) for name in _TABLES}
    tokenizer = Tokenizer(**config)
    for name in ("word_counts", "word_docs", "word_index"):
        setattr(tokenizer, name, tables[name])
    for name in ("index_docs", "index_word"):
        table = {int(index): value for index, value in tables[name].items()}
        setattr(tokenizer, name, table)
    return tokenizer

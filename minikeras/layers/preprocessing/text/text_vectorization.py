"""TextVectorization: texts as the indices of their words."""

import functools
from typing import Any

import numpy as np

from minikeras.core.checks import is_int
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.configuration import config_value
from minikeras.layers.preprocessing.adapt import as_numpy, documents
from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.numeric.encoding import Encoding, check
from minikeras.layers.preprocessing.text import vocabulary_files
from minikeras.layers.preprocessing.text.index_lookup import DROPPED
from minikeras.layers.preprocessing.text.string_lookup import StringLookup
from minikeras.layers.preprocessing.text.tokenization import (
    SPLIT,
    STANDARDIZE,
    padded,
    tokenize,
)

# Texts that are cut at once: their words stay in the cache, which saves a third of the
# time of 10,000 texts of 100 words (200: 88 ms, all: 112 ms).
_PART = 256


def _of_the_lookup(method) -> Any:
    """The method of the StringLookup in a TextVectorization, as one of its own."""

    @functools.wraps(method)
    def call(self, *args, **kwargs):
        return method(self._lookup_layer, *args, **kwargs)

    return call


class TextVectorization(Encoding, HostLayer):
    """Replace texts by the indices of their words, or by vectors of them.

    A text is standardized, split, joined to n-grams and looked up in a vocabulary whose
    index 0 is padding and 1 stands for unknown words.

    Args:
        max_tokens: int > 1, the largest size of the vocabulary, with padding and the
            unknown word; None for any.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None,
            or a function from an array of str to one of the same shape.
        split: "whitespace", "character", None if the last axis of the inputs holds the
            words, or a function from an (n,) array of str to n lists of str.
        ngrams: int n for runs of 1 to n words, tuple of ints for runs of these lengths,
            None for words.
        output_mode: "int" for indices; "multi_hot" or "count" for vectors as
            `CategoryEncoding` makes them; "tf_idf" for counts times `idf_weights`.
        output_sequence_length: int, the number of indices that each text is cut or
            padded to; None for that of the longest text.
        pad_to_max_tokens: bool, whether vectors have the length `max_tokens`.
        vocabulary: list or array of words, or the path of a file with one a line; None
            if `adapt` finds it.
        idf_weights: list or array of floats, one for each word of `vocabulary`, for the
            mode "tf_idf".
        sparse: bool, whether the vectors are sparse: not supported.
        ragged: bool, whether rows have their own lengths: not supported.
        encoding: of bytes among the inputs.
        name: string, unique by default.
        **kwargs: `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch,) or (batch, 1). Output shape: (batch, words), or
    (batch, vocabulary) for vectors.

    Raises:
        ValueError: arguments out of their range, or an invalid vocabulary.

    >>> layer = keras.layers.TextVectorization(vocabulary=["fire", "wind"])
    >>> layer(np.array(["Wind & fire!", "Rain"])).tolist()
    [[3, 2], [1, 0]]
    """

    _mk_config = """name trainable dtype max_tokens standardize split ngrams output_mode
        output_sequence_length pad_to_max_tokens sparse ragged vocabulary idf_weights
        encoding vocabulary_size"""

    def __init__(
        self, max_tokens=None, standardize="lower_and_strip_punctuation",
        split="whitespace", ngrams=None, output_mode="int", output_sequence_length=None,
        pad_to_max_tokens=False, vocabulary=None, idf_weights=None, sparse=False,
        ragged=False, encoding="utf-8", name=None, **kwargs,
    ):  # fmt: skip
        widths: Any = ngrams
        widths = tuple(range(1, widths + 1)) if is_int(ngrams) else ngrams
        names, splits = (*STANDARDIZE, None), (*SPLIT, None)
        length = output_sequence_length
        check(
            self,
            (ragged, "`ragged=True` can only be used with the TensorFlow backend of "
             "Keras. Use ragged=False: rows are padded with 0, the index of padding."),
            (not callable(standardize) and standardize not in names, "Unknown value "
             f"for `standardize`. Allowed values are: {names}, got {standardize!r}."),
            (not callable(split) and split not in splits, "Unknown value for `split`. "
             f"Allowed values are: {splits}. Received: {split!r}"),
            (not isinstance(widths, (tuple, type(None)))
             or not all(map(is_int, widths or ())),
             "`ngrams` must be None, an integer, or a tuple of integers. Received: "
             f"ngrams={ngrams!r}"),
            (length is not None and output_mode != "int", "`output_sequence_length` "
             f"must not be set if `output_mode` is not 'int', but {output_mode!r}."),
            (length is not None and not is_int(length), "`output_sequence_length` must "
             f"be either None or an integer. Received: {length!r}"),
        )  # fmt: skip
        names = ("has_input_vocabulary", "vocabulary_size")
        lookup = {k: kwargs.pop(k) for k in names if k in kwargs}
        super().__init__(name=name, **kwargs)
        self._mk_words = standardize, split, widths, encoding
        self._mk_length, self._mk_ngrams, self.sparse = length, ngrams, False
        # Keras's name: files have its vocabulary under it.
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens, mask_token="", encoding=encoding,
            output_mode=output_mode, sparse=sparse, **lookup,
        )  # fmt: skip
        self._lookup_layer._mk_build_at_init()  # it needs no run on shapes

    def adapt(self, data, batch_size=None, steps=None):
        """Find the vocabulary: the words of the texts, the most frequent first.

        Args:
            data: array, list, pandas Series of texts, or an iterable of batches.
            batch_size: int, how many texts of an array are read at once; None: all.
            steps: int, the number of batches to read; None: all.

        Raises:
            ValueError: the vocabulary was given, or batches of inputs and targets.
        """
        self.reset_state()
        for batch in documents(self, data, steps, batch_size):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data):
        """Count the words of a batch.

        Args:
            data: array of texts.
        """
        for tokens in self._mk_tokenize(data):
            self._lookup_layer._mk_count(tokens.values, tokens.lengths)

    finalize_state = _of_the_lookup(StringLookup.finalize_state)
    reset_state = _of_the_lookup(StringLookup.reset_state)
    get_vocabulary = _of_the_lookup(StringLookup.get_vocabulary)
    set_vocabulary = _of_the_lookup(StringLookup.set_vocabulary)
    vocabulary_size = _of_the_lookup(StringLookup.vocabulary_size)
    save_own_variables = _of_the_lookup(StringLookup.save_own_variables)
    load_own_variables = _of_the_lookup(StringLookup.load_own_variables)
    save_assets = _of_the_lookup(StringLookup.save_assets)
    load_assets = _of_the_lookup(StringLookup.load_assets)

    def _mk_tokenize(self, inputs):
        """Generate the `Tokens` of texts, part by part."""
        texts = np.asarray(as_numpy(inputs))
        if texts.dtype.kind in "biufc" and texts.size:
            raise TypeError(
                f"TextVectorization {self.name!r} takes strings, got an array of "
                f"{texts.dtype}."
            )
        column = texts.ndim > 1 and self._mk_words[1] is not None
        check(self, (column and texts.shape[-1] != 1, "When using `TextVectorization` "
                     "to tokenize strings, the input rank must be 1 or the last shape "
                     f"dimension must be 1. Received: {texts.shape}"))  # fmt: skip
        texts = texts[..., 0] if column else texts
        whole = self._mk_words[1] is None or texts.ndim != 1 or len(texts) < _PART
        for i in range(0, 1 if whole else len(texts), _PART):
            part = texts if whole else texts[i : i + _PART]
            yield tokenize(part, *self._mk_words)

    def call(self, inputs):
        """The indices or vectors of texts.

        Args:
            inputs: array of str or bytes.

        Raises:
            RuntimeError: there is no vocabulary yet.
            ValueError: the texts have another shape.
        """
        lookup = self._lookup_layer
        lookup._mk_check_ready()
        found = [
            (lookup._mk_look_up(values), lengths, shape)
            for values, lengths, shape in self._mk_tokenize(inputs)
        ]
        indices, lengths = (np.concatenate([x[i] for x in found]) for i in range(2))
        shape = found[0][2] if len(found) == 1 else lengths.shape
        fill = 0 if lookup.output_mode == "int" else DROPPED
        return lookup._mk_encode(padded(indices, lengths, shape, self._mk_length, fill))

    @property
    def output_dtype(self):
        """Name of the dtype of the outputs."""
        return self._lookup_layer.output_dtype

    def compute_output_shape(self, input_shape):
        shape, split = tuple(input_shape), self._mk_words[1] is not None
        if self._lookup_layer.output_mode == "int":
            return (shape[0], self._mk_length)
        if split:
            shape = shape[:-1] if len(shape) > 1 else shape
        words = split or len(shape) <= 1
        return self._lookup_layer.compute_output_shape(
            (*shape, None) if words else shape
        )

    def _mk_config_values(self):
        standardize, split = map(config_value, self._mk_words[:2])
        return {
            **self._lookup_layer.get_config(),
            "name": self.name,
            "dtype": serialize_keras_object(self.dtype_policy),
            "standardize": standardize,
            "split": split,
            "ngrams": self._mk_ngrams,
            "output_sequence_length": self._mk_length,
            "ragged": False,
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(vocabulary_files.check_config(config))
        for key in ("standardize", "split"):
            if not isinstance(config.get(key, ""), str):
                config[key] = deserialize_keras_object(config[key])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return super().from_config(config)

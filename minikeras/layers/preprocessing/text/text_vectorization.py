"""TextVectorization: texts as the indices of their words."""

import numpy as np

from minikeras import settings
from minikeras.core.checks import is_int
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.serialization import deserialize_keras_object
from minikeras.layers.configuration import config_value
from minikeras.layers.preprocessing.adapt import as_numpy, batches, is_whole
from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.text import vocabulary_files
from minikeras.layers.preprocessing.text.index_lookup import DROPPED, choice
from minikeras.layers.preprocessing.text.string_lookup import StringLookup
from minikeras.layers.preprocessing.text.tokenization import (
    SPLIT,
    STANDARDIZE,
    tokenize,
)


class TextVectorization(HostLayer):
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
        sparse: False; sparse arrays are not made here.
        ragged: False; rows of different lengths are padded here.
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

    def __init__(
        self,
        max_tokens=None,
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        ngrams=None,
        output_mode="int",
        output_sequence_length=None,
        pad_to_max_tokens=False,
        vocabulary=None,
        idf_weights=None,
        sparse=False,
        ragged=False,
        encoding="utf-8",
        name=None,
        **kwargs,
    ):
        if ragged:
            raise ValueError(
                "`ragged=True` can only be used with the TensorFlow backend of Keras. "
                "Use `ragged=False`: rows are padded with 0, the index of padding."
            )
        if not callable(standardize):
            choice(
                "TextVectorization", "standardize", standardize, (*STANDARDIZE, None)
            )
        if not callable(split):
            choice("TextVectorization", "split", split, (*SPLIT, None))
        widths = range(1, ngrams + 1) if is_int(ngrams) else ngrams
        if not (widths is None or isinstance(widths, (range, tuple))) or not all(
            map(is_int, widths or ())
        ):
            raise ValueError(
                "`ngrams` must be None, an integer, or a tuple of integers. Received: "
                f"ngrams={ngrams!r}"
            )
        length = output_sequence_length
        if length is not None and (output_mode != "int" or not is_int(length)):
            raise ValueError(
                "`output_sequence_length` must be None or an integer, and must not be "
                "set if `output_mode` is not 'int'. Received: output_sequence_length="
                f"{length!r}, output_mode={output_mode!r}"
            )
        lookup = {k: kwargs.pop(k) for k in _LOOKUP_ARGUMENTS if k in kwargs}
        super().__init__(name=name, **kwargs)
        self._mk_standardize, self._mk_split = standardize, split
        self._mk_ngrams = ngrams
        self._mk_widths = None if widths is None else tuple(widths)
        self._mk_length = length
        # Keras's name: files have its vocabulary under it.
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=output_mode,
            sparse=sparse,
            encoding=encoding,
            **lookup,
        )

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
        whole = is_whole(data, lists=True)
        for batch in batches(self, data, steps, batch_size):
            batch = np.asarray(batch)
            self.update_state(batch[:, None] if whole and batch.ndim == 1 else batch)
        self.finalize_state()

    def update_state(self, data):
        """Count the words of a batch.

        Args:
            data: array of texts.
        """
        tokens = self._mk_tokenize(data)
        self._lookup_layer._mk_count(tokens.values, tokens.lengths)

    def finalize_state(self):
        """Make the vocabulary of the counts."""
        self._lookup_layer.finalize_state()

    def reset_state(self):
        """Forget the counts, not the vocabulary."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens=True):
        """The vocabulary as a list; a word's place is its index.

        Args:
            include_special_tokens: bool, whether it begins with padding and the unknown
                word.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Set the vocabulary, in place of `adapt`.

        Args:
            vocabulary: as of the constructor.
            idf_weights: as of the constructor.
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    def vocabulary_size(self):
        """The number of words, with padding and the unknown word."""
        return self._lookup_layer.vocabulary_size()

    def _mk_tokenize(self, inputs):
        """The `Tokens` of texts."""
        texts = np.asarray(as_numpy(inputs))
        if texts.dtype.kind in "biufc" and texts.size:
            raise TypeError(
                f"TextVectorization {self.name!r} takes strings, got an array of "
                f"{texts.dtype}."
            )
        if self._mk_split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1:
                raise ValueError(
                    "When using `TextVectorization` to tokenize strings, the input rank "
                    "must be 1 or the last shape dimension must be 1. Received: "
                    f"inputs.shape={texts.shape} with rank={texts.ndim}"
                )
            texts = texts[..., 0]
        return tokenize(
            *(texts, self._mk_standardize, self._mk_split, self._mk_widths),
            self._lookup_layer.encoding,
        )

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
        tokens = self._mk_tokenize(inputs)
        indices = lookup._mk_look_up(tokens.values)
        fill = 0 if lookup.output_mode == "int" else DROPPED
        return lookup._mk_encode(tokens.padded(indices, self._mk_length, fill))

    def compute_output_shape(self, input_shape):
        """The shape of the outputs.

        Args:
            input_shape: of the texts.
        """
        shape = tuple(input_shape)
        if self._lookup_layer.output_mode == "int":
            return (shape[0], self._mk_length)
        if self._mk_split is not None and len(shape) > 1:
            shape = shape[:-1]
        words = self._mk_split is not None or len(shape) <= 1
        return self._lookup_layer.compute_output_shape(
            (*shape, None) if words else shape
        )

    def compute_output_spec(self, inputs):
        """Shape and dtype of the outputs.

        Args:
            inputs: KerasTensor of the texts.
        """
        weighted = self._lookup_layer.output_mode == "tf_idf"
        dtype = settings.floatx() if weighted else "int64"
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=dtype)

    def get_config(self):
        """The constructor's arguments, and the size of the vocabulary."""
        lookup = self._lookup_layer.get_config()
        own = {k: v for k, v in super().get_config().items() if k not in _ARGUMENTS}
        return {
            **own,
            "max_tokens": lookup["max_tokens"],
            "standardize": config_value(self._mk_standardize),
            "split": config_value(self._mk_split),
            "ngrams": self._mk_ngrams,
            "output_mode": lookup["output_mode"],
            "output_sequence_length": self._mk_length,
            "pad_to_max_tokens": lookup["pad_to_max_tokens"],
            "sparse": lookup["sparse"],
            "ragged": False,
            "vocabulary": lookup["vocabulary"],
            "idf_weights": lookup["idf_weights"],
            "encoding": lookup["encoding"],
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config):
        """Create a layer from `get_config()`.

        Args:
            config: dict of `get_config()`.

        Raises:
            ValueError: it names a vocabulary file, in safe mode.
        """
        config = dict(vocabulary_files.check_config(config))
        for key in ("standardize", "split"):
            if not isinstance(config.get(key, ""), str):
                config[key] = deserialize_keras_object(config[key])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return super().from_config(config)

    def save_own_variables(self, store):
        """Write the idf weights into a file.

        Args:
            store: dict-like of a file: {name: array}.
        """
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store):
        """Take the idf weights from a file.

        Args:
            store: dict-like of a file.
        """
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path):
        """Write the vocabulary into a folder, unless the config holds it.

        Args:
            dir_path: path of the folder.
        """
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path):
        """Take the vocabulary from a folder, unless the config held it.

        Args:
            dir_path: path of the folder.
        """
        self._lookup_layer.load_assets(dir_path)


_LOOKUP_ARGUMENTS = ("has_input_vocabulary", "vocabulary_size")

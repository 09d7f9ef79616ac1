"""IndexLookup: what StringLookup and IntegerLookup have in common."""

import collections
import os

import numpy as np

from minikeras import settings
from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.preprocessing.adapt import as_numpy, batches, is_whole
from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    MODES,
    encode_on_host,
    encoded_shape,
)
from minikeras.layers.preprocessing.numeric.hashing import hash_bins, salt_pair
from minikeras.layers.preprocessing.text import vocabulary_files

MISSING = -2  # what a table gives for a value that it lacks
DROPPED = -1  # the index of the mask token in vectors, which ignore it
_OLD_NAMES = (("binary", "multi_hot"), ("tf-idf", "tf_idf"))


def choice(layer, name, value, allowed):
    """Return `value` if it is allowed, else raise ValueError."""
    if value not in allowed:
        raise ValueError(
            f"Unknown value for `{name}` argument of {layer}. Allowed values are: "
            f"{allowed}. Received: {name}={value}"
        )
    return value


def inverse_document_frequency(document_counts, documents):
    """log(1 + documents / (1 + count)) for each token: rare tokens weigh more."""
    counts = np.asarray(document_counts, np.float64)
    return np.log(1 + documents / (1 + counts)).astype(settings.floatx())


def by_frequency(counts):
    """The tokens, the most frequent first, ties in falling order."""
    return sorted(counts, key=lambda token: (counts[token], token), reverse=True)


class IndexLookup(HostLayer):
    """Base of the layers that map tokens to their index in a vocabulary.

    The indices are: the mask token (mode "int" alone), the bins of unknown tokens, the
    vocabulary. A subclass says what a token is.

    Args:
        arguments: those of the subclass's constructor, {name: value}.
        dtype_name: "string" or "int64", the dtype of tokens.
        kwargs: `trainable` and `dtype`, which have no meaning; `vocabulary_size` and
            `has_input_vocabulary`, of configs.
    """

    def __init__(self, arguments, dtype_name, kwargs):
        super().__init__(name=arguments["name"])
        names = """max_tokens num_oov_indices mask_token oov_token invert output_mode
            sparse pad_to_max_tokens oov_method""".split()
        for name in names:
            setattr(self, name, arguments[name])
        self.output_mode = dict(_OLD_NAMES).get(self.output_mode, self.output_mode)
        self.vocabulary_dtype = dtype_name
        self.salt = salt_pair(arguments["salt"], "IndexLookup")
        vocabulary, idf_weights = arguments["vocabulary"], arguments["idf_weights"]
        self._mk_check_arguments(idf_weights)
        for name in ("trainable", "dtype"):
            kwargs.pop(name, None)
        self._mk_frozen_size = kwargs.pop("vocabulary_size", None)
        static = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        self._mk_static = static
        if kwargs:
            raise ValueError(f"Unrecognized keyword argument(s): {kwargs}")
        if static and self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the "
                "`idf_weights` argument must also be provided."
            )
        # A path is not kept: what the file holds goes into the assets.
        from_file = isinstance(vocabulary, (str, os.PathLike))
        self.input_vocabulary = None if from_file else vocabulary
        self.input_idf_weights = self.idf_weights = idf_weights
        self._mk_tokens = None  # the vocabulary without special tokens
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _mk_check_arguments(self, idf_weights):
        """ValueError for arguments that are out of range or contradict each other."""
        name, mode = type(self).__name__, self.output_mode
        if self.max_tokens is not None and self.max_tokens <= 1:
            problem = f"If set, `max_tokens` for `{name}` must be greater than 1"
        elif self.pad_to_max_tokens and self.max_tokens is None:
            problem = "If pad_to_max_tokens is True, must set `max_tokens`"
        elif self.num_oov_indices < 0:
            problem = "`num_oov_indices` must be greater than or equal to 0"
        elif self.invert and mode != "int":
            problem = "`output_mode` must be `'int'` when `invert` is true"
        elif self.sparse:
            problem = (
                "`sparse=True` can only be used with the TensorFlow backend of Keras, "
                "use `sparse=False`"
            )
        elif idf_weights is not None and mode != "tf_idf":
            problem = "`idf_weights` should only be set if `output_mode` is `'tf_idf'`"
        else:
            choice(name, "oov_method", self.oov_method, ("floormod", "farmhash"))
            choice(name, "output_mode", mode, (*MODES, "tf_idf"))
            return
        raise ValueError(
            f"{problem}. Received: max_tokens={self.max_tokens}, num_oov_indices="
            f"{self.num_oov_indices}, output_mode={mode}, idf_weights={idf_weights}"
        )

    # -- the vocabulary -----------------------------------------------------------

    @property
    def _mk_oov_start(self):
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _mk_token_start(self):
        return self._mk_oov_start + self.num_oov_indices

    def _mk_special_tokens(self):
        masks = [self.mask_token] * self._mk_oov_start
        return masks + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens=True):
        """The vocabulary as a list; a token's place is its index.

        Args:
            include_special_tokens: bool, whether it begins with the mask and OOV tokens.
        """
        special = self._mk_special_tokens() if include_special_tokens else []
        return special + list(self._mk_tokens or [])

    def vocabulary_size(self):
        """The number of tokens, with the mask and OOV tokens."""
        return self._mk_token_start + len(self._mk_tokens or [])

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Set the vocabulary, in place of `adapt`.

        Args:
            vocabulary: list or array of tokens, with all mask and OOV tokens at its
                start or without them; or the path of a file with one token a line.
            idf_weights: list or array of floats, one for each token; for the mode
                "tf_idf", which needs them.

        Raises:
            ValueError: repeated or misplaced tokens, too many of them, none, no such
                file, or weights that do not fit.
        """
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise ValueError(
                "`idf_weights` must be set if output_mode is 'tf_idf', and should only "
                f"be set then. Received: output_mode={self.output_mode} and "
                f"idf_weights={idf_weights}"
            )
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = vocabulary_files.read(vocabulary)
        given = [self._mk_token(x) for x in np.ravel(as_numpy(vocabulary)).tolist()]
        special = self._mk_special_tokens()
        found = given[: len(special)] == special
        tokens = given[len(special) :] if found else given
        self._mk_check_vocabulary(given, tokens)
        if idf_weights is not None:
            weights = np.asarray(idf_weights, settings.floatx())
            if weights.shape != (len(given),):
                raise ValueError(
                    "`idf_weights` must be the same length as vocabulary. Its shape is "
                    f"{weights.shape}; len(vocabulary) is {len(given)}"
                )
        self._mk_set_tokens(tokens)
        if idf_weights is not None:
            self._mk_set_weights(weights, 0 if found else len(special))

    def _mk_check_vocabulary(self, given, tokens):
        """ValueError for a vocabulary that no table can be made of."""
        size = self._mk_token_start + len(tokens)
        if not given:
            raise ValueError("Cannot set an empty vocabulary. Received: vocabulary=[]")
        if repeated := [t for t, n in collections.Counter(tokens).items() if n > 1]:
            raise ValueError(
                "The passed vocabulary has at least one repeated term. Please uniquify "
                f"your dataset. The repeated terms are: {repeated}"
            )
        checked = [("mask", self.mask_token)]
        checked += [("OOV", self.oov_token)] if self.invert else []
        for kind, token in checked:
            if token is not None and token in tokens:
                raise ValueError(
                    f"Found reserved {kind} token at unexpected location in "
                    "`vocabulary`. Leave mask and OOV tokens out, or begin with "
                    f"{self._mk_special_tokens()}. Received: {token!r} at vocabulary "
                    f"index {given.index(token)}"
                )
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. "
                f"Received vocabulary size is {size}; `max_tokens` is {self.max_tokens}."
            )

    def _mk_set_tokens(self, tokens):
        """Take a checked vocabulary, and make the table of it."""
        values = range(self._mk_token_start, self._mk_token_start + len(tokens))
        table = dict(zip(tokens, values, strict=True))
        if self.mask_token is not None:
            table[self.mask_token] = 0 if self.output_mode == "int" else DROPPED
        self._mk_tokens = tokens
        self._mk_set_table(table)
        self._mk_record_size()

    def _mk_record_size(self):
        """Fix the width of the outputs; RuntimeError if it was another one."""
        size, fixed = self.vocabulary_size(), self._mk_frozen_size
        varies = self.output_mode == "int" or self.pad_to_max_tokens
        if not varies and fixed is not None and fixed != size:
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and "
                "`pad_to_max_tokens=False`, the vocabulary size cannot be changed after "
                f"the layer is called. Old vocab size is {fixed}, new vocab size is "
                f"{size}"
            )
        self._mk_frozen_size = size

    def _mk_set_weights(self, weights, front):
        """Set the idf weights: `front` means before them, zeros up to `max_tokens`."""
        padded = self.pad_to_max_tokens and self.max_tokens is not None
        back = self.max_tokens - front - len(weights) if padded else 0
        mean = np.full(front, np.mean(weights), weights.dtype)
        self.idf_weights = np.concatenate([mean, weights, np.zeros(back, mean.dtype)])

    # -- adapt --------------------------------------------------------------------

    def adapt(self, data, steps=None):
        """Find the vocabulary: the tokens of the data, the most frequent first.

        Args:
            data: array, list, pandas Series, or an iterable of batches. A flat array
                has one document in each entry; a flat batch is one document.
            steps: int, the number of batches to read; None: all.

        Raises:
            ValueError: the vocabulary was given, or batches of inputs and targets.
        """
        self.reset_state()
        whole = is_whole(data, lists=True)
        for batch in batches(self, data, steps):
            batch = np.asarray(batch)
            self.update_state(batch[:, None] if whole and batch.ndim == 1 else batch)
        self.finalize_state()

    def update_state(self, data):
        """Count the tokens of a batch.

        Args:
            data: array of tokens, (batch, n); (n,) is one document.
        """
        data = np.atleast_2d(np.asarray(as_numpy(data)))
        self._mk_count(self._mk_keys(data), np.full(len(data), data[0].size))

    def _mk_count(self, keys, lengths):
        """Count tokens, and the documents that they occur in.

        Args:
            keys: list of tokens.
            lengths: (n,) ints, how many of them each document has.
        """
        if self._mk_static:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary "
                "via `vocabulary` argument or `set_vocabulary()` method."
            )
        self._mk_counts.update(keys)
        if self.output_mode == "tf_idf":
            ends = np.cumsum(lengths).tolist()
            for start, end in zip([0, *ends], ends, strict=False):
                self._mk_document_counts.update(set(keys[start:end]))
            self._mk_documents += len(lengths)

    def finalize_state(self):
        """Make the vocabulary of the counts."""
        if self._mk_static or not self._mk_counts:
            return self._mk_record_size()
        documents = self._mk_documents
        counts, in_documents = map(
            self._mk_merge, (self._mk_counts, self._mk_document_counts)
        )
        for token in (self.mask_token, self.oov_token):
            counts.pop(token, None)
        tokens = by_frequency(counts)
        if self.max_tokens:
            tokens = tokens[: self.max_tokens - self._mk_token_start]
        self._mk_set_tokens(tokens)
        if self.output_mode == "tf_idf":
            frequencies = [in_documents[token] for token in tokens]
            weights = inverse_document_frequency(frequencies, documents)
            self._mk_set_weights(weights, self._mk_token_start)
        self.reset_state()

    def _mk_merge(self, counts):
        """The counts by token: a text that came as str and as bytes is one."""
        merged = collections.Counter()
        for key, count in counts.items():
            merged[self._mk_token(key)] += count
        return merged

    def reset_state(self):
        """Forget the counts, not the vocabulary."""
        self._mk_counts = collections.Counter()
        self._mk_document_counts = collections.Counter()
        self._mk_documents = 0

    # -- the call -----------------------------------------------------------------

    def call(self, inputs):
        """Look the inputs up.

        Args:
            inputs: array of tokens; of indices, if `invert`.

        Raises:
            RuntimeError: there is no vocabulary yet.
            ValueError: an unknown token, where there is no bin for it.
        """
        inputs = np.asarray(inputs)
        self._mk_check_ready()
        if self.invert:
            return self._mk_invert(inputs, np)
        indices = self._mk_look_up(self._mk_keys(inputs)).reshape(inputs.shape)
        return self._mk_encode(indices)

    def _mk_check_ready(self):
        """RuntimeError without a vocabulary."""
        if self._mk_tokens is None:
            raise RuntimeError(
                f"Layer {self.name!r} has no vocabulary: you must set the layer's "
                "vocabulary before calling it. Either pass a `vocabulary` argument to "
                "the layer, or call `adapt` with some sample data."
            )

    def _mk_invert(self, indices, xp):
        """The tokens at these indices; xp is NumPy or jax.numpy."""
        vocabulary = self._mk_token_array(self.get_vocabulary())
        places = xp.clip(indices, 0, len(vocabulary) - 1)
        known = (indices >= 0) & (indices < len(vocabulary))
        return xp.where(known, xp.asarray(vocabulary)[places], self.oov_token)

    def _mk_look_up(self, keys):
        """The indices of a sequence of tokens, (n,)."""
        indices = self._mk_find(keys)
        unknown = np.flatnonzero(indices == MISSING)
        if not len(unknown):
            return indices
        if self.num_oov_indices == 0:
            raise ValueError(
                "When `num_oov_indices=0` all inputs should be in vocabulary, found "
                f"OOV values {[keys[i] for i in unknown[:5]]}, consider setting "
                "`num_oov_indices=1`."
            )
        bins = 0
        if self.num_oov_indices > 1:
            bins = self._mk_oov_bins(np.array([keys[i] for i in unknown]))
        indices[unknown] = bins + self._mk_oov_start
        return indices

    def _mk_oov_bins(self, tokens):
        """The bins of unknown tokens, by their hash."""
        return hash_bins(tokens, self.num_oov_indices, self.salt)

    def _mk_encode(self, indices, encode=encode_on_host):
        """Indices as the output mode says."""
        mode, depth = self.output_mode, self._mk_depth()
        if mode != "tf_idf":
            return encode(indices, mode, depth, "int64")
        counts = encode(indices, "count", depth, settings.floatx())
        return counts * self.idf_weights

    def _mk_depth(self):
        """The length of vectors; None if it is not known yet."""
        return self.max_tokens if self.pad_to_max_tokens else self._mk_frozen_size

    def compute_output_shape(self, input_shape):
        """The shape of the outputs.

        Args:
            input_shape: of the tokens.
        """
        return encoded_shape(input_shape, self.output_mode, self._mk_depth())

    def compute_output_spec(self, inputs):
        """Shape and dtype of the outputs.

        Args:
            inputs: KerasTensor of the tokens.
        """
        dtype = settings.floatx() if self.output_mode == "tf_idf" else "int64"
        dtype = self.vocabulary_dtype if self.invert else dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=dtype)

    # -- files --------------------------------------------------------------------

    def get_config(self):
        """The constructor's arguments, and the size of the vocabulary."""
        values = self.input_vocabulary, self.input_idf_weights
        vocabulary, weights = (
            None if v is None else np.array(v).tolist() for v in values
        )
        names = """invert max_tokens num_oov_indices oov_token mask_token output_mode
            sparse pad_to_max_tokens vocabulary_dtype""".split()
        return {
            **{k: v for k, v in super().get_config().items() if k in _BASE_CONFIG},
            **{name: getattr(self, name) for name in names},
            "idf_weights": weights,
            "vocabulary": vocabulary,
            "vocabulary_size": self._mk_frozen_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }

    @classmethod
    def from_config(cls, config):
        """Create a layer from `get_config()`.

        Args:
            config: dict of `get_config()`.

        Raises:
            ValueError: it names a vocabulary file, in safe mode.
        """
        return super().from_config(vocabulary_files.check_config(config))

    def save_own_variables(self, store):
        """Write the idf weights into a file.

        Args:
            store: dict-like of a file: {name: array}.
        """
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = np.asarray(self.idf_weights)

    def load_own_variables(self, store):
        """Take the idf weights from a file.

        Args:
            store: dict-like of a file.
        """
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self.idf_weights = np.asarray(store["idf_weights"])

    def save_assets(self, dir_path):
        """Write the vocabulary into a folder, unless the config holds it.

        Args:
            dir_path: path of the folder.

        Raises:
            ValueError: a token has several lines.
        """
        if self.input_vocabulary is None:
            path = os.path.join(dir_path, vocabulary_files.FILE_NAME)
            vocabulary_files.write(path, self.get_vocabulary())

    def load_assets(self, dir_path):
        """Take the vocabulary from a folder, unless the config held it.

        Args:
            dir_path: path of the folder.
        """
        if self.input_vocabulary is not None:
            return
        path = os.path.join(dir_path, vocabulary_files.FILE_NAME)
        tokens = vocabulary_files.read(path, self._mk_frozen_size)
        weights = self.idf_weights if self.output_mode == "tf_idf" else None
        self.set_vocabulary(
            tokens, weights if weights is None else weights[: len(tokens)]
        )


_BASE_CONFIG = frozenset({"name", "trainable", "dtype"})

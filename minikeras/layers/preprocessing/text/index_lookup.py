"""IndexLookup: what StringLookup and IntegerLookup have in common."""

import collections
import os

import numpy as np

from minikeras import settings
from minikeras.core.loading import reserve
from minikeras.layers.preprocessing.adapt import as_numpy, documents
from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    MODES,
    Encoding,
    check,
    encode_on_host,
)
from minikeras.layers.preprocessing.numeric.hashing import hash_bins, salt_pair
from minikeras.layers.preprocessing.text import vocabulary_files

MISSING = -2  # what a table gives for a value that it lacks
DROPPED = -1  # the index of the mask token in vectors, which ignore it
_OLD_NAMES = (("binary", "multi_hot"), ("tf-idf", "tf_idf"))


def inverse_document_frequency(document_counts, number):
    """log(1 + number / (1 + count)) for each token: rare tokens weigh more."""
    counts = np.asarray(document_counts, np.float64)
    return np.log(1 + number / (1 + counts)).astype(settings.floatx())


class IndexLookup(Encoding, HostLayer):
    """Base of the layers that map tokens to their index in a vocabulary.

    The indices are: the mask token (mode "int" alone), the bins of unknown tokens, the
    vocabulary. A subclass says what a token is, and calls `_mk_set_up`.
    """

    vocabulary_dtype = "string"

    def _mk_set_up(self, arguments, others):
        """Take {name: value} of the constructor, and its other keywords.

        These are `trainable` and `dtype`, which have no meaning here, and
        `vocabulary_size` and `has_input_vocabulary`, which configs hold.
        """
        vocabulary, weights = arguments["vocabulary"], arguments["idf_weights"]
        mode = dict(_OLD_NAMES).get(arguments["output_mode"], arguments["output_mode"])
        salt = salt_pair(arguments["salt"], "IndexLookup")
        self._mk_set_arguments({**arguments, "output_mode": mode, "salt": salt})
        self._mk_size = others.pop("vocabulary_size", None)
        # A given vocabulary never changes: `adapt` is an error.
        self._mk_static = others.pop("has_input_vocabulary", vocabulary is not None)
        unknown = {k: v for k, v in others.items() if k not in ("trainable", "dtype")}
        check(
            self,
            (unknown, f"Unrecognized keyword argument(s): {unknown}"),
            (self._mk_static and mode == "tf_idf" and weights is None, "When "
             "specifying the `vocabulary` argument, in TF-IDF output mode, the "
             "`idf_weights` argument must also be provided."),
        )  # fmt: skip
        self._mk_check_arguments()
        # A path is not kept: what the file holds goes into the assets.
        from_file = isinstance(vocabulary, (str, os.PathLike))
        self.input_vocabulary = None if from_file else vocabulary
        self.input_idf_weights = weights
        self._mk_tokens = None  # the vocabulary without special tokens
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, weights)

    def _mk_check_arguments(self):
        """ValueError for arguments that are out of range or contradict each other."""
        mode, limit, bins = self.output_mode, self.max_tokens, self.num_oov_indices
        modes, methods = (*MODES, "tf_idf"), ("floormod", "farmhash")
        reserve(bins, "the out-of-vocabulary tokens")
        received = f"Received: max_tokens={limit}, output_mode={mode}"
        check(
            self,
            (limit is not None and limit <= 1,
             f"If set, `max_tokens` must be greater than 1. {received}"),
            (self.pad_to_max_tokens and limit is None,
             f"If pad_to_max_tokens is True, must set `max_tokens`. {received}"),
            (bins < 0, "`num_oov_indices` must be greater than or equal to 0. "
             f"Received: num_oov_indices={bins}"),
            (self.oov_method not in methods, "Unknown value for `oov_method` argument. "
             f"Allowed values are: {methods}. Received: {self.oov_method}"),
            (mode not in modes, "Unknown value for `output_mode` argument. Allowed "
             f"values are: {modes}. {received}"),
            (self.invert and mode != "int",
             f"`output_mode` must be `'int'` when `invert` is true. {received}"),
            (self.sparse, "`sparse=True` can only be used with the TensorFlow backend "
             "of Keras. Use sparse=False."),
            (self.idf_weights is not None and mode != "tf_idf", "`idf_weights` should "
             f"only be set if `output_mode` is `'tf_idf'`. {received}"),
        )  # fmt: skip

    @property
    def _mk_special(self):
        """The special tokens, which come before the vocabulary."""
        masked = self.mask_token is not None and self.output_mode == "int"
        return [self.mask_token] * masked + [self.oov_token] * self.num_oov_indices

    @property
    def _mk_oov_start(self):
        return len(self._mk_special) - self.num_oov_indices

    def get_vocabulary(self, include_special_tokens=True):
        """The vocabulary as a list; a token's place is its index.

        Args:
            include_special_tokens: bool, whether mask and OOV tokens come first.
        """
        special = self._mk_special if include_special_tokens else []
        return special + list(self._mk_tokens or [])

    def vocabulary_size(self):
        """The number of tokens, with the mask and OOV tokens."""
        return len(self._mk_special) + len(self._mk_tokens or [])

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
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = vocabulary_files.read(
                vocabulary, encoding=getattr(self, "encoding", "utf-8")
            )
        is_list = isinstance(vocabulary, (list, tuple)) or hasattr(vocabulary, "shape")
        if not is_list:
            raise TypeError(
                f"{type(self).__name__}: expected the vocabulary as a list, an array or"
                f" the path of a file, got {type(vocabulary).__name__}. Make it a list,"
                " whose order gives the indices."
            )
        given = [self._mk_token(x) for x in np.ravel(as_numpy(vocabulary)).tolist()]
        front = 0 if given[: len(self._mk_special)] == self._mk_special else None
        special = self._mk_special if front == 0 else []
        tokens = given[len(special) :]
        weights = np.asarray(idf_weights, settings.floatx())
        wanted = self.output_mode == "tf_idf"
        check(
            self,
            (wanted != (idf_weights is not None), "`idf_weights` must be set if "
             "output_mode is 'tf_idf', and should only be set if output_mode is "
             f"'tf_idf'. Received: {self.output_mode} and {idf_weights}"),
            (wanted and weights.shape != (len(given),), "`idf_weights` must be the "
             f"same length as vocabulary, got {weights.shape} and {len(given)}."),
        )  # fmt: skip
        self._mk_check_vocabulary(given, tokens)
        self._mk_set_tokens(tokens)
        if wanted:
            self._mk_set_weights(weights, len(self._mk_special) - len(special))

    def _mk_check_vocabulary(self, given, tokens):
        """ValueError for a vocabulary that no table can be made of."""
        size = len(self._mk_special) + len(tokens)
        repeated = [t for t, n in collections.Counter(tokens).items() if n > 1]
        limit = np.inf if self.max_tokens is None else self.max_tokens
        check(
            self,
            (not given, "Cannot set an empty vocabulary. Received: vocabulary=[]"),
            (repeated, "The passed vocabulary has at least one repeated term. Please "
             f"uniquify your dataset. The repeated terms are: {repeated[:9]}"),
            (size > limit, "Attempted to set a vocabulary larger than the maximum "
             f"vocab size. Its size is {size}; `max_tokens` is {limit}."),
            *((token in tokens, f"Found reserved {kind} token at unexpected location "
               "in `vocabulary`. Leave mask and OOV tokens out, or begin with "
               f"{self._mk_special}. Received: {token!r}")
              for kind, token, reserved in (
                  ("mask", self.mask_token, True), ("OOV", self.oov_token, self.invert))
              if reserved and token is not None),
        )  # fmt: skip

    def _mk_set_tokens(self, tokens):
        """Take a checked vocabulary, and make the table of it."""
        first = len(self._mk_special)
        table = {token: first + i for i, token in enumerate(tokens)}
        if self.mask_token is not None:
            table[self.mask_token] = 0 if self.output_mode == "int" else DROPPED
        self._mk_tokens = tokens
        self._mk_version += 1  # compiled steps hold the old table
        self._mk_set_table(table)
        self._mk_fix_size()

    def _mk_fix_size(self):
        """Fix the width of the outputs; RuntimeError if it was another one."""
        size, fixed = self.vocabulary_size(), self._mk_size
        varies = self.output_mode == "int" or self.pad_to_max_tokens
        if not varies and fixed not in (None, size):
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens="
                "False`, the vocabulary size cannot be changed after the layer is "
                f"called. Old vocab size is {fixed}, new vocab size is {size}"
            )
        self._mk_size = size

    def _mk_set_weights(self, weights, front):
        """Set the idf weights: `front` means before them, zeros up to `max_tokens`."""
        padded = self.pad_to_max_tokens and self.max_tokens is not None
        back = self.max_tokens - front - len(weights) if padded else 0
        mean = np.full(front, np.mean(weights), weights.dtype)
        self.idf_weights = np.concatenate([mean, weights, np.zeros(back, mean.dtype)])

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
        for batch in documents(self, data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data):
        """Count the tokens of a batch.

        Args:
            data: array of tokens, (batch, n); (n,) is one document.
        """
        data = np.atleast_2d(np.asarray(as_numpy(data)))
        length = data.size // max(len(data), 1)
        self._mk_count(self._mk_keys(data), np.full(len(data), length))

    def _mk_count(self, keys, lengths):
        """Count a list of tokens: documents of these lengths, one after the other."""
        check(self, (self._mk_static, f"Cannot adapt layer '{self.name}' after setting "
                     "a static vocabulary via the `vocabulary` argument."))  # fmt: skip
        self._mk_counts.update(keys)
        if self.output_mode == "tf_idf":
            ends = np.cumsum(lengths).tolist()
            for start, end in zip([0, *ends], ends, strict=False):
                self._mk_document_counts.update(set(keys[start:end]))
            self._mk_documents += len(lengths)

    def finalize_state(self):
        """Make the vocabulary of the counts: ties in falling order of the tokens."""
        if self._mk_static or not self._mk_counts and self._mk_tokens:
            return self._mk_fix_size()
        counts = self._mk_by_token(self._mk_counts)
        for token in (self.mask_token, self.oov_token):
            counts.pop(token, None)
        tokens = sorted(counts, key=lambda t: (counts[t], t), reverse=True)
        if self.max_tokens:
            tokens = tokens[: self.max_tokens - len(self._mk_special)]
        self._mk_set_tokens(tokens)
        if self.output_mode == "tf_idf":
            found = self._mk_by_token(self._mk_document_counts)
            weights = [found[token] for token in tokens]
            weights = inverse_document_frequency(weights, self._mk_documents)
            self._mk_set_weights(weights, len(self._mk_special))
        self.reset_state()

    def _mk_by_token(self, counts):
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

    def call(self, inputs):
        """Look the inputs up.

        Args:
            inputs: array of tokens; of indices, if `invert`.

        Raises:
            RuntimeError: there is no vocabulary yet.
            ValueError: an unknown token, where there is no bin for it.
        """
        inputs = np.asarray(as_numpy(inputs))
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
        kind = object if self.vocabulary_dtype == "string" else np.int64
        vocabulary = np.array(self.get_vocabulary(), kind)
        places = xp.clip(indices, 0, len(vocabulary) - 1)
        known = (indices >= 0) & (indices < len(vocabulary))
        return xp.where(known, xp.asarray(vocabulary)[places], self.oov_token)

    def _mk_look_up(self, keys):
        """The indices of a sequence of tokens, (n,)."""
        indices = self._mk_find(keys)
        unknown = np.flatnonzero(indices == MISSING)
        if not len(unknown):
            return indices
        check(self, (self.num_oov_indices == 0, "When `num_oov_indices=0` all inputs "
                     "should be in vocabulary, found OOV values "
                     f"{[keys[i] for i in unknown[:5]]}, consider setting "
                     "`num_oov_indices=1`."))  # fmt: skip
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
        mode, depth = self.output_mode, self._mk_depth
        if mode != "tf_idf":
            return encode(indices, mode, depth, "int64")
        return encode(indices, "count", depth, settings.floatx()) * self.idf_weights

    @property
    def _mk_depth(self):
        padded = self.pad_to_max_tokens
        return self.max_tokens if padded else self._mk_size

    @property
    def output_dtype(self):
        """Name of the dtype of the outputs."""
        weighted = settings.floatx() if self.output_mode == "tf_idf" else "int64"
        return self.vocabulary_dtype if self.invert else weighted

    def _mk_config_values(self):
        given = self.input_vocabulary, self.input_idf_weights
        vocabulary, weights = (x if x is None else np.array(x).tolist() for x in given)
        size = self._mk_size
        return {
            "vocabulary": vocabulary, "idf_weights": weights, "vocabulary_size": size
        }  # fmt: skip

    @classmethod
    def from_config(cls, config):
        return super().from_config(vocabulary_files.check_config(config))

    def save_own_variables(self, store):
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = np.asarray(self.idf_weights)

    def load_own_variables(self, store):
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
        tokens = vocabulary_files.read(path, self._mk_size)
        weighted = self.output_mode == "tf_idf" and self.idf_weights is not None
        weights = self.idf_weights[: len(tokens)] if weighted else None
        self.set_vocabulary(tokens, weights)

"""IntegerLookup: ints as their index in a vocabulary."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.layers.configuration import own_arguments
from minikeras.layers.preprocessing.numeric.encoding import call_back, check, encode
from minikeras.layers.preprocessing.text.index_lookup import MISSING, IndexLookup


def find(x, keys, values, xp):
    """The values of ints in a table of sorted keys; xp: NumPy or jax.numpy."""
    if not len(keys):
        return xp.full(x.shape, MISSING)
    keys, values = xp.asarray(keys), xp.asarray(values)
    places = xp.clip(xp.searchsorted(keys, x), 0, len(keys) - 1)
    return xp.where(keys[places] == x, values[places], MISSING)


class IntegerLookup(IndexLookup):
    """Replace ints by their index in a vocabulary, or indices by ints.

    The indices are: the mask token (mode "int" alone), `num_oov_indices` bins of
    unknown ints, the vocabulary.

    Args:
        max_tokens: int > 1, the largest size of the vocabulary, with mask and OOV
            tokens; None for any.
        num_oov_indices: int >= 0, the number of bins of unknown ints. With 0 an unknown
            int is an error; in compiled code, where none can be raised, it is index -2.
        mask_token: int of index 0, which vectors ignore; None for none.
        oov_token: int that stands for unknown ones.
        vocabulary: list or array of ints, or the path of a file with one a line; None
            if `adapt` finds it.
        vocabulary_dtype: "int64".
        idf_weights: list or array of floats, one for each int of `vocabulary`, for the
            mode "tf_idf".
        invert: bool, whether to turn indices into ints.
        output_mode: "int" for indices; "one_hot", "multi_hot" or "count" for vectors as
            `CategoryEncoding` makes them; "tf_idf" for counts times `idf_weights`.
        sparse: bool, whether the vectors are sparse: not supported.
        pad_to_max_tokens: bool, whether vectors have the length `max_tokens`.
        oov_method: "floormod" takes the unknown int modulo `num_oov_indices`,
            "farmhash" its hash.
        salt: int, or two of them, the key of SipHash-2-4 in place of FarmHash.
        name: string, unique by default.
        **kwargs: settings of configs.

    Input shape: any. Output shape: the same for "int", else as of `CategoryEncoding`.

    Raises:
        ValueError: arguments out of their range, or an invalid vocabulary.

    >>> layer = keras.layers.IntegerLookup(vocabulary=[12, 36, 42])
    >>> layer(np.array([[12, 42], [7, 36]])).tolist()
    [[1, 3], [0, 2]]
    """

    _mk_config = """name trainable dtype invert max_tokens num_oov_indices oov_token
        mask_token output_mode sparse pad_to_max_tokens vocabulary_dtype idf_weights
        vocabulary vocabulary_size oov_method salt"""

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1,
        vocabulary=None, vocabulary_dtype="int64", idf_weights=None, invert=False,
        output_mode="int", sparse=False, pad_to_max_tokens=False, oov_method="floormod",
        salt=None, name=None, **kwargs,
    ):  # fmt: skip
        arguments = own_arguments(locals())
        super().__init__(name=arguments.pop("name"))
        check(
            self,
            (vocabulary_dtype != "int64", "Only `vocabulary_dtype='int64'` is "
             f"supported at this time. Received: {vocabulary_dtype}"),
            (salt is not None and oov_method != "farmhash", "`salt` can only be used "
             f"when `oov_method='farmhash'`. Received: oov_method={oov_method}"),
        )  # fmt: skip
        self._mk_set_up(arguments, kwargs)

    def call(self, inputs):
        """Look the inputs up.

        Args:
            inputs: int array; of indices, if `invert`.

        Raises:
            RuntimeError: there is no vocabulary yet.
            ValueError: an unknown int, where there is no bin for it.
        """
        if not isinstance(inputs, jax.core.Tracer):
            return super().call(inputs)
        self._mk_check_ready()
        if self.invert:
            return self._mk_invert(inputs, jnp)
        x = inputs.astype(jax.dtypes.canonicalize_dtype("int64"))
        # A key that the traced ints cannot hold would become another one.
        keys, values = self._mk_table
        fits = (keys >= jnp.iinfo(x.dtype).min) & (keys <= jnp.iinfo(x.dtype).max)
        indices, bins = find(x, keys[fits], values[fits], jnp), 0
        if self.num_oov_indices > 1:
            hashed = self.oov_method == "farmhash"
            bins = call_back(self._mk_oov_bins, x) if hashed else self._mk_oov_bins(x)
        if self.num_oov_indices:
            indices = jnp.where(indices == MISSING, bins + self._mk_oov_start, indices)
        return self._mk_encode(indices, encode)

    def _mk_token(self, x):
        """A token of a vocabulary: int."""
        return int(x)

    def _mk_keys(self, values):
        """The entries of an array as int64; TypeError for strings."""
        if values.dtype.kind not in "biuf":
            raise TypeError(
                f"IntegerLookup {self.name!r} takes ints, got an array of "
                f"{values.dtype}. Use StringLookup for strings."
            )
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(
                f"IntegerLookup {self.name!r} takes ints, got NaN or infinity. Replace "
                "missing values first."
            )
        return values.ravel().astype(np.int64)

    def _mk_count(self, keys, lengths):
        super()._mk_count(keys.tolist(), lengths)

    def _mk_set_table(self, table):
        keys = np.array(sorted(table), np.int64)
        self._mk_table = keys, np.array([table[k] for k in keys.tolist()], np.int64)

    def _mk_find(self, keys):
        return find(keys, *self._mk_table, np)

    def _mk_oov_bins(self, tokens):
        """The bins of unknown ints: their remainder, or their hash."""
        hashed = self.oov_method == "farmhash"
        return super()._mk_oov_bins(tokens) if hashed else tokens % self.num_oov_indices

    def _mk_config_values(self):
        tokens = {"oov_token": self.oov_token, "mask_token": self.mask_token}
        plain = {k: t if t is None else int(t) for k, t in tokens.items()}
        return {**super()._mk_config_values(), **plain}

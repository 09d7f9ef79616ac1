"""StringLookup: strings as their index in a vocabulary."""

from itertools import repeat

import numpy as np

from minikeras.layers.configuration import own_arguments
from minikeras.layers.preprocessing.text.index_lookup import MISSING, IndexLookup
from minikeras.ops.hashing import to_bytes


class StringLookup(IndexLookup):
    """Replace strings by their index in a vocabulary, or indices by strings.

    The indices are: the mask token (mode "int" alone), `num_oov_indices` bins of
    unknown strings, the vocabulary.

    Args:
        max_tokens: int > 1, the largest size of the vocabulary, with mask and OOV
            tokens; None for any.
        num_oov_indices: int >= 0, the number of bins of unknown strings, which their
            hash chooses. With 0 an unknown string is an error.
        mask_token: string of index 0, which vectors ignore; None for none.
        oov_token: string that stands for unknown ones.
        vocabulary: list or array of strings, or the path of a file with one a line;
            None if `adapt` finds it.
        idf_weights: list or array of floats, one for each string of `vocabulary`, for
            the mode "tf_idf".
        invert: bool, whether to turn indices into strings, an array of `str` objects.
        output_mode: "int" for indices; "one_hot", "multi_hot" or "count" for vectors as
            `CategoryEncoding` makes them; "tf_idf" for counts times `idf_weights`.
        pad_to_max_tokens: bool, whether vectors have the length `max_tokens`.
        sparse: bool, whether the vectors are sparse: not supported.
        encoding: of bytes among the inputs, and of strings for the hash.
        name: string, unique by default.
        salt: int, or two of them, the key of SipHash-2-4; None takes FarmHash.
        **kwargs: settings of configs.

    Input shape: any. Output shape: the same for "int", else as of `CategoryEncoding`.

    Raises:
        ValueError: arguments out of their range, or an invalid vocabulary.

    >>> layer = keras.layers.StringLookup(vocabulary=["a", "b"])
    >>> layer(np.array([["b", "a"], ["x", "b"]])).tolist()
    [[2, 1], [0, 2]]
    """

    _mk_config = """name trainable dtype invert max_tokens num_oov_indices oov_token
        mask_token output_mode sparse pad_to_max_tokens idf_weights vocabulary
        vocabulary_size oov_method salt encoding"""

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token="[UNK]",
        vocabulary=None, idf_weights=None, invert=False, output_mode="int",
        pad_to_max_tokens=False, sparse=False, encoding="utf-8", name=None, salt=None,
        **kwargs,
    ):  # fmt: skip
        arguments = own_arguments(locals())
        super().__init__(name=arguments.pop("name"))
        self.oov_method = kwargs.pop("oov_method", "floormod")
        self._mk_set_up(arguments, kwargs)

    def _mk_token(self, x):
        """A token of a vocabulary: str."""
        if not isinstance(x, (str, bytes)):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: a vocabulary holds strings, got "
                f"{x!r} ({type(x).__name__})."
            )
        return x.decode(self.encoding) if isinstance(x, bytes) else str(x)

    def _mk_keys(self, values):
        """The entries of an array: all str, or all bytes; TypeError for numbers."""
        if values.dtype.kind in "biufc" and values.size:
            raise TypeError(
                f"{type(self).__name__} {self.name!r} takes strings, got an array of "
                f"{values.dtype}. Use IntegerLookup, or convert it: x.astype(str)."
            )
        if values.dtype.kind == "O":
            kinds = {*map(type, values.ravel().tolist())}
            if wrong := [k for k in kinds if not issubclass(k, (str, bytes))]:
                raise TypeError(
                    f"{type(self).__name__} {self.name!r} takes strings, got also "
                    f"{', '.join(sorted(k.__name__ for k in wrong))}. Replace missing "
                    "values first, for instance by frame.fillna('')."
                )
            return to_bytes(values, self.encoding)
        return values.ravel().tolist()

    def _mk_set_table(self, table):
        """Keep a table for str, and one for bytes: one for both is slower, 60 : 45."""
        encoded = {token.encode(self.encoding): i for token, i in table.items()}
        self._mk_tables = table, encoded

    def _mk_find(self, keys):
        """The table's values for a list of str, or of bytes."""
        table = self._mk_tables[bool(keys) and isinstance(keys[0], bytes)]
        return np.fromiter(map(table.get, keys, repeat(MISSING)), np.int32, len(keys))

    def _mk_oov_bins(self, tokens):
        encoded = np.array(to_bytes(tokens, self.encoding), object)
        return super()._mk_oov_bins(encoded)

"""Hashing: categories as the numbers of hash bins."""

import numpy as np

from minikeras import settings
from minikeras.core.checks import is_int
from minikeras.layers.preprocessing.adapt import as_numpy
from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    MODES,
    Encoding,
    check,
    encode_anywhere,
)
from minikeras.ops.hashing import fingerprint64, siphash24, to_bytes


def salt_pair(salt, layer):
    """None, or the two ints of a salt; ValueError for other values."""
    pair = [salt, salt] if is_int(salt) else salt
    if salt is None or (
        isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(is_int, pair))
    ):
        return pair if salt is None else list(pair)
    raise ValueError(
        f"The `salt` argument for `{layer}` can only be a tuple of size 2 integers, or "
        f"a single integer. Received: salt={salt!r}."
    )


def hash_bins(values, bins, salt=None):
    """Hash modulo the number of bins: FarmHash, or SipHash with a salt of two ints."""
    strings = to_bytes(values)
    hashes = fingerprint64(strings) if salt is None else siphash24(strings, salt)
    return (hashes % np.uint64(bins)).astype(np.int64).reshape(np.shape(values))


class Hashing(Encoding, HostLayer):
    """Replace strings or ints by hash(value) mod num_bins.

    Args:
        num_bins: int >= 1, the number of bins. `mask_value` takes one of them.
        mask_value: string or int that gets the bin 0; None for none.
        salt: int, or two of them, the key of SipHash-2-4; None takes FarmHash.
        output_mode: "int" for bins, "one_hot", "multi_hot" or "count" for vectors as
            `CategoryEncoding` makes them.
        sparse: bool, whether the vectors are sparse `BCOO` arrays: not supported.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`. The dtype is
            int64 for bins, else `floatx()`.

    Input shape: any. Output shape: the same for "int", else as of `CategoryEncoding`.

    Raises:
        ValueError: an argument out of its range.

    >>> layer = keras.layers.Hashing(num_bins=3)
    >>> layer(np.array(["A", "B", "C", "D", "E"])).tolist()
    [1, 0, 1, 1, 2]
    """

    _mk_config = "name trainable dtype num_bins salt mask_value output_mode sparse"

    def __init__(
        self, num_bins, mask_value=None, salt=None, output_mode="int", sparse=False,
        **kwargs,
    ):  # fmt: skip
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else settings.floatx()
        super().__init__(**kwargs)
        self.num_bins = self._mk_depth = num_bins
        self.mask_value, self.salt = mask_value, salt_pair(salt, "Hashing")
        self.output_mode, self.sparse = output_mode, sparse
        ints = self.dtype_policy.name in ("int32", "int64")
        check(
            self,
            ((num_bins or 0) <= 0, "The `num_bins` for `Hashing` cannot be `None` or "
             f"non-positive values. Received: num_bins={num_bins}."),
            (output_mode not in MODES, "Invalid value for argument `output_mode`. "
             f"Expected one of {MODES}. Received: output_mode={output_mode}"),
            (output_mode == "int" and not ints, 'When `output_mode="int"`, `dtype` '
             f"should be an integer type, got {kwargs['dtype']}."),
            (sparse, "`sparse` may only be true if `output_mode` is not 'int', and in "
             "Keras on TensorFlow. Use sparse=False."),
        )  # fmt: skip

    @property
    def output_dtype(self):
        """Name of the dtype of the outputs."""
        return self.dtype

    def call(self, inputs):
        """The bins of the inputs, encoded.

        Args:
            inputs: array of strings, bytes, ints or floats, or nested lists of them.
        """
        inputs = as_numpy(inputs)
        inputs = inputs if hasattr(inputs, "dtype") else np.asarray(inputs)
        mode, depth = self.output_mode, self.num_bins
        return encode_anywhere(self._mk_bins, [inputs], mode, depth, self.dtype)

    def _mk_bins(self, values):
        """The bins of an array."""
        if self.mask_value is None or self.num_bins == 1:
            return hash_bins(values, self.num_bins, self.salt)
        mask, is_text = self.mask_value, values.dtype.kind in "OSUT"
        if is_text != isinstance(mask, (str, bytes)):
            raise TypeError(
                f"Hashing {self.name!r}: `mask_value` is {mask!r}, but the inputs are "
                f"{'strings' if is_text else values.dtype}."
            )
        bins = hash_bins(values, self.num_bins - 1, self.salt) + 1
        if not is_text:
            return np.where(values == mask, 0, bins)
        mask = mask.encode() if isinstance(mask, str) else mask
        masked = [entry == mask for entry in to_bytes(values)]
        return np.where(np.reshape(masked, values.shape), 0, bins)

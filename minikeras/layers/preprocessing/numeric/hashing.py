"""Hashing: categories as the numbers of hash bins."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.core.checks import is_int
from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.preprocessing.data_layer import HostLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    MODES,
    encode,
    encode_on_host,
    encoded_shape,
)
from minikeras.ops.hashing import fingerprint64, siphash24, to_bytes


def salt_pair(salt, layer):
    """None, or the two ints of a salt; ValueError for other values."""
    if salt is None:
        return None
    pair = [salt, salt] if is_int(salt) else salt
    if isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(is_int, pair)):
        return list(pair)
    raise ValueError(
        f"The `salt` argument for `{layer}` can only be a tuple of size 2 integers, or "
        f"a single integer. Received: salt={salt!r}."
    )


def hash_bins(values, bins, salt=None):
    """Hash modulo the number of bins: FarmHash, or SipHash with a salt.

    Args:
        values: array of strings, bytes, ints or floats, which are cut to ints.
        bins: int >= 1.
        salt: pair of ints, or None.

    Returns:
        int64 array of the shape of `values`.
    """
    strings = to_bytes(values)
    hashes = fingerprint64(strings) if salt is None else siphash24(strings, salt)
    return (hashes % np.uint64(bins)).astype(np.int64).reshape(np.shape(values))


def traced_bins(function, shape, *arrays):
    """Bins of arrays that have no values yet: a step calls back to the host."""
    spec = jax.ShapeDtypeStruct(shape, jnp.int32)
    call = lambda *x: function(*map(np.asarray, x)).astype(np.int32)  # noqa: E731
    return jax.pure_callback(call, spec, *arrays, vmap_method="broadcast_all")


class Hashing(HostLayer):
    """Replace strings or ints by hash(value) mod num_bins.

    Args:
        num_bins: int >= 1, the number of bins. `mask_value` takes one of them.
        mask_value: string or int that gets the bin 0; None for none.
        salt: int, or two of them, the key of SipHash-2-4; None takes FarmHash.
        output_mode: "int" for bins, "one_hot", "multi_hot" or "count" for vectors as
            `CategoryEncoding` makes them.
        sparse: False; sparse arrays hold no text.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`. The dtype is
            int64 for bins, else `floatx()`.

    Input shape: any. Output shape: the same for "int", else as of `CategoryEncoding`.

    Raises:
        ValueError: an argument out of its range.

    >>> layer = keras.layers.Hashing(num_bins=3)
    >>> layer(np.array(["A", "B", "C", "D", "E"])).tolist()
    [1, 0, 1, 1, 2]
    """

    def __init__(
        self,
        num_bins,
        mask_value=None,
        salt=None,
        output_mode="int",
        sparse=False,
        **kwargs,
    ):
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else settings.floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                "The `num_bins` for `Hashing` cannot be `None` or non-positive values. "
                f"Received: num_bins={num_bins}."
            )
        if output_mode == "int" and self.dtype_policy.name not in ("int32", "int64"):
            raise ValueError(
                "When `output_mode=\"int\"`, `dtype` should be an integer type, 'int32' "
                f"or 'int64'. Received: dtype={kwargs['dtype']}"
            )
        if output_mode not in MODES:
            raise ValueError(
                f"Invalid value for argument `output_mode`. Expected one of {MODES}. "
                f"Received: output_mode={output_mode}"
            )
        if sparse:
            raise ValueError(
                "Hashing: `sparse=True` needs TensorFlow's sparse tensors, and an "
                "`output_mode` of vectors. Use `sparse=False`."
            )
        self.num_bins, self.mask_value = num_bins, mask_value
        self.salt = salt_pair(salt, "Hashing")
        self.output_mode, self.sparse = output_mode, sparse

    def call(self, inputs):
        """The bins of the inputs, encoded.

        Args:
            inputs: array of strings, bytes, ints or floats, or nested lists of them.
        """
        if isinstance(inputs, jax.core.Tracer):
            bins, function = traced_bins(self._mk_bins, inputs.shape, inputs), encode
        else:
            bins, function = self._mk_bins(np.asarray(inputs)), encode_on_host
        return function(bins, self.output_mode, self.num_bins, self.dtype)

    def _mk_bins(self, values):
        """The bins of an array."""
        if self.mask_value is None or self.num_bins == 1:
            return hash_bins(values, self.num_bins, self.salt)
        bins = hash_bins(values, self.num_bins - 1, self.salt) + 1
        return np.where(values == self.mask_value, 0, bins)

    def compute_output_shape(self, input_shape):
        """The shape of the outputs.

        Args:
            input_shape: of the values.
        """
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs):
        """Shape and dtype of the outputs.

        Args:
            inputs: KerasTensor of the values.
        """
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.dtype)

    def get_config(self):
        """The constructor's arguments."""
        names = "num_bins salt mask_value output_mode sparse".split()
        return {**super().get_config(), **{key: getattr(self, key) for key in names}}

    _mk_not_in_config = ("num_bins", "mask_value", "salt", "output_mode", "sparse")

"""CategoryEncoding: category numbers as vectors."""

import jax.numpy as jnp

from minikeras.layers.preprocessing.data_layer import DataLayer
from minikeras.layers.preprocessing.numeric.encoding import (
    MODES,
    Encoding,
    check,
    encode,
)


class CategoryEncoding(Encoding, DataLayer):
    """Encode category numbers as one-hot, multi-hot or count vectors.

    Args:
        num_tokens: int >= 1, the number of categories; numbers out of
            0..num_tokens - 1 give zeros.
        output_mode: "one_hot" for a vector of each entry, "multi_hot" for one of each
            row that marks what occurs in it, "count" for one that counts it.
        sparse: bool, whether to return a sparse `BCOO` array.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: () or (n,) or (batch, n). Output shape: (..., n, num_tokens) for
    "one_hot", where a last axis of size 1 is left out, else (..., num_tokens).

    Raises:
        ValueError: no `num_tokens`, or an unknown mode.

    >>> layer = keras.layers.CategoryEncoding(3, output_mode="count")
    >>> layer(np.array([[0, 2, 2]])).tolist()
    [[1.0, 0.0, 2.0]]
    """

    _convert_input_args = False

    def __init__(
        self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs
    ):
        super().__init__(**kwargs)
        self.output_mode = "multi_hot" if output_mode == "binary" else output_mode
        self.num_tokens = self._mk_depth = num_tokens
        self.sparse = sparse
        check(
            self,
            (self.output_mode not in MODES[1:],
             f"Unknown arg for output_mode: {output_mode}. Choose from {MODES[1:]}."),
            (num_tokens is None, "num_tokens must be set to use this layer. If it is "
             "not known beforehand, use IntegerLookup."),
            (num_tokens is not None and num_tokens < 1,
             f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}."),
        )  # fmt: skip

    @property
    def output_dtype(self):
        """Name of the dtype of the vectors."""
        return self.compute_dtype

    def call(self, inputs, count_weights=None):
        """Encode the inputs.

        Args:
            inputs: int array.
            count_weights: array like the inputs, what each entry counts; for the mode
                "count" alone.

        Raises:
            ValueError: weights in another mode.
        """
        mode, weights = self.output_mode, count_weights
        wrong = weights is not None and mode != "count"
        check(self, (wrong, "`count_weights` is not used when `output_mode` is not "
                     f"`'count'`. It is {mode!r}."))  # fmt: skip
        dtype = self.compute_dtype
        weights = None if weights is None else jnp.asarray(weights, dtype)
        inputs = jnp.asarray(inputs)
        inputs = inputs.astype("int32") if inputs.dtype == bool else inputs
        return encode(inputs, mode, self.num_tokens, dtype, self.sparse, weights)

    @property
    def _mk_config(self):
        # Keras 3.15.1 leaves `sparse` out, and loses it: a mended fault of its.
        return f"name trainable dtype num_tokens output_mode {'sparse' * self.sparse}"

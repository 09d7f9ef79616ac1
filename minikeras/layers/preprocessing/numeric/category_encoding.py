"""CategoryEncoding: category numbers as vectors."""

import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.preprocessing.data_layer import DataLayer
from minikeras.layers.preprocessing.numeric.encoding import encode, encoded_shape


class CategoryEncoding(DataLayer):
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
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(
                f"Unknown arg for output_mode: {output_mode!r}. Choose 'one_hot', "
                "'multi_hot' or 'count'."
            )
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of categories "
                "is unknown, use the IntegerLookup layer."
            )
        if num_tokens < 1:
            raise ValueError(
                f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}."
            )
        self.num_tokens = num_tokens
        self.output_mode = output_mode
        self.sparse = sparse

    def call(self, inputs, count_weights=None):
        """Encode the inputs.

        Args:
            inputs: int array.
            count_weights: array like the inputs, what each entry counts; for the mode
                "count" alone.

        Raises:
            ValueError: weights in another mode.
        """
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    "`count_weights` is not used when `output_mode` is not `'count'`. "
                    f"Received: output_mode={self.output_mode!r}."
                )
            count_weights = jnp.asarray(count_weights, self.compute_dtype)
        return encode(
            *(jnp.asarray(inputs), self.output_mode, self.num_tokens, self.dtype),
            *(self.sparse, count_weights),
        )

    def compute_output_shape(self, input_shape):
        """The shape of the vectors.

        Args:
            input_shape: of the numbers.
        """
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def compute_output_spec(self, inputs, count_weights=None):
        """Shape and dtype of the vectors.

        Args:
            inputs: KerasTensor of the numbers.
            count_weights: KerasTensor of the weights, or None.
        """
        shape = self.compute_output_shape(inputs.shape)
        return KerasTensor(shape, dtype=self.compute_dtype, sparse=self.sparse)

    def get_config(self):
        """The constructor's arguments; `sparse` where it is set."""
        config = super().get_config()
        # Keras 3.15.1 leaves it out, and loses it: a mended fault of its.
        return (
            config if self.sparse else {k: config[k] for k in config if k != "sparse"}
        )

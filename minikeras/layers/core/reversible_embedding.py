"""ReversibleEmbedding: map integers to vectors, and vectors to logits."""

from minikeras import ops
from minikeras.core.bridge import set_mask
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import convert_to_tensor
from minikeras.layers.core.embedding import Embedding


def soft_cap(x, cap):
    """cap · tanh(x / cap): close to x for small x, between -cap and cap."""
    return ops.tanh(x / cap) * cap


class ReversibleEmbedding(Embedding):
    """An `Embedding` that also maps hidden states to logits of the integers.

    layer(integers) = embeddings[integers]; layer(states, reverse=True) = states @ R,
    where R is embeddingsᵀ or a weight of its own

    Args:
        input_dim: int >= 1, number of rows: the largest integer + 1.
        output_dim: int >= 1, size of the vectors.
        tie_weights: bool, whether R is the transposed table.
        embeddings_initializer: initializer of the (input_dim, output_dim) table.
        embeddings_regularizer: penalty on the table, added to the loss; None for none.
        embeddings_constraint: projection of the table after each update; None for none.
        mask_zero: bool, whether to mask the integer 0, for padding, in the layers that
            follow.
        reverse_dtype: dtype of the product states @ R; None takes the compute dtype.
        logit_soft_cap: number c; logits x become c tanh(x / c). None for no cap.
        **kwargs: `weights`, `lora_rank` and `lora_alpha` of `Embedding`; `name`,
            `dtype` and the other arguments of `keras.Layer`.

    Input shape: (...,) of integers; in reverse (..., output_dim).
    Output shape: (..., output_dim); in reverse (..., input_dim).

    Raises:
        ValueError: `input_dim` or `output_dim` is not a positive integer.

    Source: Press & Wolf 2017, https://arxiv.org/abs/1608.05859.

    >>> layer = keras.layers.ReversibleEmbedding(10, 4)
    >>> layer(layer(np.array([[1, 2, 9]])), reverse=True).shape
    (1, 3, 10)
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        tie_weights=True,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        reverse_dtype=None,
        logit_soft_cap=None,
        **kwargs,
    ):
        self.tie_weights = tie_weights  # first: given `weights` build the layer
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape=None):
        """Create the table, and R if it is a weight of its own."""
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
            )

    def call(self, inputs, reverse=False):
        """Return embeddings[inputs], or the logits of states.

        Args:
            inputs: (...,) integers; in reverse (..., output_dim) states.
            reverse: bool, whether to return logits.
        """
        if reverse:
            return self._mk_logits(inputs)
        y = super().call(inputs)
        # Here and not in `compute_mask`, which does not know the direction.
        set_mask(y, super().compute_mask(inputs))
        return y

    def _mk_logits(self, states):
        """states @ R, in `reverse_dtype` and below the cap."""

        def product(x, kernel):
            table = convert_to_tensor(kernel).astype(self.compute_dtype)
            if self.reverse_dtype is not None:
                table, x = (a.astype(self.reverse_dtype) for a in (table, x))
            return x @ (table.T if self.tie_weights else table)

        if self.tie_weights:
            logits = self._mk_bind_kernel(product)(states)
        else:
            logits = product(states, self.reverse_embeddings)
        cap = self.logit_soft_cap
        return logits if cap is None else soft_cap(logits, cap)

    def compute_mask(self, inputs, mask=None):
        """Return None: `call` sets the mask of the vectors."""
        return None

    def compute_output_shape(self, input_shape, reverse=False):
        """Return (..., output_dim), or (..., input_dim) in reverse.

        Args:
            input_shape: (...,), or in reverse (..., output_dim).
            reverse: bool, whether to return the shape of the logits.
        """
        if reverse:
            return (*input_shape[:-1], self.input_dim)
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs, reverse=False):
        """Return the output as a KerasTensor.

        Args:
            inputs: KerasTensor (...,), or in reverse (..., output_dim).
            reverse: bool, whether to return the logits.
        """
        dtype = (reverse and self.reverse_dtype) or self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape, reverse), dtype)

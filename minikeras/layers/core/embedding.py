"""Embedding: look up a vector for each integer."""

import warnings

import jax.numpy as jnp

from minikeras import constraints, initializers, ops, regularizers
from minikeras.core.checks import positive_int
from minikeras.core.variable import convert_to_tensor
from minikeras.layers.kernels.lora import LoRALayer
from minikeras.layers.layer import Layer


def embed(indices, kernel):
    """(...,) ints -> (..., output_dim), rows of the (input_dim, output_dim) table.

    Indices below zero count from the end; rows beyond the table are NaN.
    """
    indices = convert_to_tensor(indices, sparse=False)
    if not jnp.issubdtype(indices.dtype, jnp.integer):
        indices = indices.astype("int32")
    return jnp.take(convert_to_tensor(kernel), indices, axis=0)


class Embedding(LoRALayer, Layer):
    """Map integers to trainable vectors, the rows of a table.

    output[i] = embeddings[inputs[i]]

    Args:
        input_dim: int >= 1, number of rows: the largest integer + 1.
        output_dim: int >= 1, size of the vectors.
        embeddings_initializer: initializer of the (input_dim, output_dim) table.
        embeddings_regularizer: penalty on the table, added to the loss; None for none.
        embeddings_constraint: projection of the table after each update; None for none.
        mask_zero: bool, whether to mask the integer 0, for padding, in the layers that
            follow.
        weights: initial table, an array or a list with one; None for the initializer.
        lora_rank: int >= 1, freeze the table and train an update of this rank; None
            trains the table.
        lora_alpha: number, scales that update by lora_alpha / lora_rank; None takes
            `lora_rank`.
        quantization_config: accepted and stored, without effect.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (...,) of integers. Output shape: (..., output_dim). As in
    `jax.numpy.take`, negative integers count from the end; too large ones give NaN.

    Raises:
        ValueError: `input_dim` or `output_dim` is not a positive integer.

    >>> keras.layers.Embedding(10, 4)(np.array([[1, 2, 9]])).shape
    (1, 3, 4)
    """

    _mk_not_in_config = ("weights",)
    _mk_always_in_config = ("activity_regularizer",)
    _mk_kernel_name = "embeddings"

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        weights=None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        if kwargs.pop("input_length", None) is not None:
            warnings.warn(
                "Embedding: `input_length` has no effect; leave it out.", stacklevel=2
            )
        super().__init__(**kwargs)
        self.input_dim = positive_int(input_dim, "input_dim")
        self.output_dim = positive_int(output_dim, "output_dim")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False  # half floats would round large indices
        self.lora_rank, self.lora_alpha = lora_rank, lora_alpha
        self.quantization_config = quantization_config
        if weights is not None:
            self.build()
            is_list = isinstance(weights, (list, tuple))
            self.set_weights(weights if is_list else [weights])

    def build(self, input_shape=None):
        """Create the table.

        Args:
            input_shape: not used.
        """
        if self._mk_kernel is not None:  # the constructor got the table
            return
        shape = (self.input_dim, self.output_dim)
        self._mk_build_kernel(shape)
        self._mk_start_lora()

    @property
    def embeddings(self):
        """The (input_dim, output_dim) table."""
        return self._mk_kernel_value()

    def call(self, inputs):
        """Return embeddings[inputs].

        Args:
            inputs: (...,) integers.
        """
        return self._mk_bind_kernel(embed)(inputs).astype(self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        """Return inputs != 0 with `mask_zero`, otherwise None.

        Args:
            inputs: (...,) integers.
            mask: mask of the inputs, not used.
        """
        return ops.not_equal(inputs, 0) if self.mask_zero else None

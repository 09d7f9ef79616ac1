"""Permute: reorder the axes of each sample."""

from minikeras import ops
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


class Permute(Layer):
    """Reorder the axes of each sample; the batch axis stays first.

    Args:
        dims: tuple of ints, the axes 1 to n in their new order.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, ...) of rank n + 1. Output shape: the same sizes, reordered.

    Raises:
        ValueError: `dims` is not a permutation of 1 to n.

    >>> keras.layers.Permute((2, 1))(np.ones((5, 3, 4))).shape
    (5, 4, 3)
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` of Permute: expected the numbers "
                f"1 to {len(self.dims)} in any order, got dims={dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        """Return the inputs with their axes reordered.

        Args:
            inputs: array (batch, ...).
        """
        return ops.transpose(inputs, (0, *self.dims))

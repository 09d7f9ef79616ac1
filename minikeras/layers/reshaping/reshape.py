"""Reshape: the same entries in another shape."""

import math

from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.layer import Layer


def resolved(target_shape, input_shape):
    """`target_shape` with its -1 replaced, for samples of `input_shape`.

    None where a size cannot be told because the input's is not known.

    >>> resolved((-1, 2), (3, 4)), resolved((-1, 2), (None, 4)), resolved((6,), (None,))
    ((6, 2), (None, 2), (6,))
    """
    known = math.prod(n for n in target_shape if n != -1)
    if None in input_shape:
        return tuple(None if n == -1 else n for n in target_shape)
    total = math.prod(input_shape)
    fits = total == known if -1 not in target_shape else known and total % known == 0
    if not fits:
        raise ValueError(
            f"Reshape: target_shape={target_shape} does not hold the {total} entries "
            f"of samples of shape {tuple(input_shape)}."
        )
    return tuple(total // known if n == -1 else n for n in target_shape)


class Reshape(Layer):
    """Give each sample another shape: (batch, ...) -> (batch, *target_shape).

    Args:
        target_shape: ints >= 0, without the batch axis; one of them may be -1, for
            whatever is left.

    Raises:
        ValueError: a bad `target_shape`, or inputs of another size.

    >>> import numpy as np
    >>> Reshape((-1, 2))(np.ones((5, 6))).shape
    (5, 3, 2)
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        target_shape = tuple(target_shape)
        if any(n is None or n < -1 for n in target_shape):
            raise ValueError(
                "Each entry of target_shape must be a non-negative integer or -1, "
                f"got target_shape={target_shape}."
            )
        if target_shape.count(-1) > 1:
            raise ValueError(
                "There may be at most one unknown dimension (-1), got "
                f"target_shape={target_shape}."
            )
        self.target_shape = target_shape
        self._mk_build_at_init()

    def call(self, inputs):
        """inputs with another shape"""
        batch, *sample = inputs.shape
        return inputs.reshape((batch, *resolved(self.target_shape, sample)))

    def compute_output_shape(self, input_shape):
        """(batch, *target_shape): known even where the input's sizes are not."""
        return input_shape[0], *resolved(self.target_shape, input_shape[1:])

    def compute_output_spec(self, inputs):
        """The output as a KerasTensor, of the input's dtype."""
        shape = self.compute_output_shape(inputs.shape)
        return KerasTensor(shape, inputs.dtype, sparse=inputs.sparse)

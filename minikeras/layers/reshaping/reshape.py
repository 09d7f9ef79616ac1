"""Reshape: the same entries in another shape."""

import math

from minikeras.core.keras_tensor import KerasTensor
from minikeras.layers.layer import Layer


def resolve_shape(target_shape, input_shape):
    """Replace the -1 in `target_shape`, for samples of `input_shape`.

    A size is None if it depends on an unknown size of the input.

    >>> resolve_shape((-1, 2), (3, 4)), resolve_shape((-1, 2), (None, 4))
    ((6, 2), (None, 2))
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
    """Give each sample another shape.

    Args:
        target_shape: tuple of ints >= 0, without the batch axis; one of them may be -1,
            which takes the remaining size.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, ...). Output shape: (batch, *target_shape).

    Raises:
        ValueError: an invalid `target_shape`; in a call: inputs of another size.

    >>> keras.layers.Reshape((-1, 2))(np.ones((5, 6))).shape
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
        """Return the inputs in the new shape.

        Args:
            inputs: array (batch, ...).
        """
        batch, *sample = inputs.shape
        return inputs.reshape((batch, *resolve_shape(self.target_shape, sample)))

    def compute_output_shape(self, input_shape):
        """Return (batch, *target_shape), known even if sizes of the input are not.

        Args:
            input_shape: shape of the inputs, with the batch axis.
        """
        return input_shape[0], *resolve_shape(self.target_shape, input_shape[1:])

    def compute_output_spec(self, inputs):
        """Return the output as a KerasTensor with the dtype of the input.

        Args:
            inputs: KerasTensor (batch, ...).
        """
        shape = self.compute_output_shape(inputs.shape)
        return KerasTensor(shape, inputs.dtype, sparse=inputs.sparse)

"""Masking: mask the steps of a sequence that contain only a given value."""

from minikeras import ops
from minikeras.layers.layer import Layer


def steps_in_use(x, mask_value, keepdims=False):
    """(..., n) -> (...) bool: does the step hold a value other than `mask_value`?"""
    return ops.any(ops.not_equal(x, mask_value), axis=-1, keepdims=keepdims)


class Masking(Layer):
    """Mask the steps whose features all equal `mask_value`.

    mask[b, t] = any(inputs[b, t] != mask_value)

    Args:
        mask_value: number, or array that broadcasts to the features.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, ...). Output shape: the same, with zeros at masked
    steps; the mask has these axes without the last one.

    >>> keras.layers.Masking(9.0)(np.array([[[1.0, 9.0], [9.0, 9.0]]])).tolist()
    [[[1.0, 9.0], [0.0, 0.0]]]
    """

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Return the inputs, with zeros at masked steps.

        Args:
            inputs: (batch, steps, ...).
        """
        return inputs * steps_in_use(inputs, self.mask_value, True).astype(inputs.dtype)

    def compute_mask(self, inputs, mask=None):
        """Return True for the steps that count.

        Args:
            inputs: (batch, steps, ...).
            mask: mask of the inputs, not used.
        """
        return steps_in_use(inputs, self.mask_value)

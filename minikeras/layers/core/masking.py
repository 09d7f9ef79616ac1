"""Masking: steps that hold nothing but a given value do not count."""

from minikeras import ops
from minikeras.layers.layer import Layer


def steps_in_use(x, mask_value, keepdims=False):
    """(..., n) -> (...) bool: does the step hold another value than `mask_value`?"""
    return ops.any(ops.not_equal(x, mask_value), axis=-1, keepdims=keepdims)


class Masking(Layer):
    """Mask the steps of a sequence whose features all equal `mask_value`.

    Args:
        mask_value: number, or array that broadcasts to the features.

    Input (batch, steps, ...), output the same with masked steps set to zero; its
    mask is (batch, steps, ...) without the last axis.
    """

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Zeros where all features equal `mask_value`, else the inputs."""
        return inputs * steps_in_use(inputs, self.mask_value, True).astype(inputs.dtype)

    def compute_mask(self, inputs, mask=None):
        """True where a step counts."""
        return steps_in_use(inputs, self.mask_value)

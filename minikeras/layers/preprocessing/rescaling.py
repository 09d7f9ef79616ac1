"""Rescaling: another unit for the inputs."""

from minikeras.core.serialization import serialize_keras_object
from minikeras.core.variable import convert_to_tensor
from minikeras.layers.layer import Layer


class Rescaling(Layer):
    """inputs * scale + offset.

    Args:
        scale, offset: numbers, or arrays that broadcast to the inputs.

    >>> import numpy as np
    >>> Rescaling(1 / 255)(np.array([0, 255], "uint8")).tolist()
    [0.0, 1.0]
    """

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs):
        """inputs * scale + offset"""
        dtype = self.compute_dtype
        scale = convert_to_tensor(self.scale, dtype)
        return inputs.astype(dtype) * scale + convert_to_tensor(self.offset, dtype)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }

    @classmethod
    def from_config(cls, config):
        """A new layer from `get_config()`."""
        from minikeras.core.serialization import deserialize_keras_object

        read = {k: deserialize_keras_object(config[k]) for k in ("scale", "offset")}
        return super().from_config(config | read)

"""Rescaling: a linear function of the inputs."""

import numpy as np

from minikeras import settings
from minikeras.core.bridge import current
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.core.variable import convert_to_tensor
from minikeras.layers.preprocessing.data_layer import DataLayer


class Rescaling(DataLayer):
    """Scale and shift the inputs: inputs * scale + offset.

    Args:
        scale: number, or array that broadcasts to the inputs.
        offset: number, or array that broadcasts to the inputs.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same, in the compute dtype.

    >>> keras.layers.Rescaling(1 / 255)(np.array([0, 255], "uint8")).tolist()
    [0.0, 1.0]
    """

    _convert_input_args = False  # NumPy arrays stay so in a pipeline

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs):
        """Return inputs * scale + offset.

        Args:
            inputs: array of any shape.
        """
        dtype, numbers = self.compute_dtype, (self.scale, self.offset)
        if current().in_pipeline and isinstance(inputs, np.ndarray):
            # JAX would compile a program for each size of image.
            scale, offset = (np.asarray(v, dtype) for v in numbers)
        else:
            inputs = self._mk_convert(inputs)
            scale, offset = (convert_to_tensor(v, dtype) for v in numbers)
        if scale.ndim and settings.image_data_format() == "channels_first":
            scale = scale.reshape(*scale.shape, *(1,) * (3 - scale.ndim))
        return inputs.astype(dtype) * scale + offset

    def get_config(self):
        """Return the constructor's arguments; arrays as configs."""
        return {
            **super().get_config(),
            "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }

    @classmethod
    def from_config(cls, config):
        """Create a layer from `get_config()`.

        Args:
            config: dict of `get_config()`.
        """
        names = ("scale", "offset")  # arrays are stored as configs
        values = {name: deserialize_keras_object(config[name]) for name in names}
        return super().from_config(config | values)

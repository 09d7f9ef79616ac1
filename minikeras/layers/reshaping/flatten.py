"""Flatten: merge all axes except the batch into one."""

import math

from minikeras import ops
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.settings import standardize_data_format


def flatten(x, channels_first=False):
    """(batch, ...) -> (batch, n), with channels moved last first if they are first."""
    if channels_first and x.ndim > 1:
        x = ops.transpose(x, (0, *range(2, x.ndim), 1))
    return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Flatten(Layer):
    """Turn each sample into one row.

    Args:
        data_format: `"channels_first"` moves the channels last before flattening, so
            that later weights fit both layouts; `"channels_last"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, ...). Output shape: (batch, n), n the product of the other
    sizes.

    >>> keras.layers.Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        """Return the flattened inputs.

        Args:
            inputs: array (batch, ...).
        """
        return flatten(inputs, self.data_format == "channels_first")

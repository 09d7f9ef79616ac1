"""Flatten: all axes but the batch's become one."""

import math

from minikeras import ops
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.settings import standardize_data_format


def flatten(x, channels_first=False):
    """(batch, ...) -> (batch, n); channels first are moved last before."""
    if channels_first and x.ndim > 1:
        x = ops.transpose(x, (0, *range(2, x.ndim), 1))
    return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Flatten(Layer):
    """Make each sample one row: (batch, ...) -> (batch, n).

    Args:
        data_format: `"channels_first"` inputs are flattened channels last, so that
            the weights that follow fit both layouts; None is the default layout.

    >>> import numpy as np
    >>> Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        """flatten(inputs)"""
        return flatten(inputs, self.data_format == "channels_first")

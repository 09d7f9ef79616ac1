"""Average pooling with windows of 1, 2 and 3 axes."""

from minikeras import ops
from minikeras.layers.pooling.pool import Pooling


class _AveragePooling(Pooling):
    @staticmethod
    def pool(inputs, pool_size, strides, padding, data_format):
        """ops.average_pool"""
        return ops.average_pool(inputs, pool_size, strides, padding, data_format)


class AveragePooling1D(_AveragePooling):
    """Mean of each window of a sequence (batch, steps, channels).

    Args: see `Pooling`.

    >>> import numpy as np
    >>> AveragePooling1D(2)(np.array([[[1.0], [4.0], [2.0], [3.0]]])).tolist()
    [[[2.5], [2.5]]]
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """Mean of each window of an image (batch, rows, columns, channels).

    Args: see `Pooling`.
    """

    rank = 2


class AveragePooling3D(_AveragePooling):
    """Mean of each window of a volume (batch, depth, rows, columns, channels).

    Args: see `Pooling`.
    """

    rank = 3

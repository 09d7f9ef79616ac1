"""Max pooling with windows of 1, 2 and 3 axes."""

from minikeras import ops
from minikeras.layers.pooling.pool import Pooling


class _MaxPooling(Pooling):
    def __init__(
        self,
        pool_size=2,
        strides=None,
        padding="valid",
        data_format=None,
        name=None,
        **kwargs,
    ):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    @staticmethod
    def pool(inputs, pool_size, strides, padding, data_format):
        """ops.max_pool"""
        return ops.max_pool(inputs, pool_size, strides, padding, data_format)


class MaxPooling1D(_MaxPooling):
    """Largest entry of each window of a sequence (batch, steps, channels).

    Args: see `Pooling`.

    >>> import numpy as np
    >>> MaxPooling1D(2)(np.array([[[1.0], [4.0], [2.0], [3.0]]])).tolist()
    [[[4.0], [3.0]]]
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """Largest entry of each window of an image (batch, rows, columns, channels).

    Args: see `Pooling`.
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """Largest entry of each window of a volume (batch, depth, rows, columns, channels).

    Args: see `Pooling`.
    """

    rank = 3

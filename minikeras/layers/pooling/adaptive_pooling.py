"""Adaptive pooling: as many windows as the output shall have entries."""

from minikeras import ops
from minikeras.core.checks import int_tuple
from minikeras.layers.layer import Layer
from minikeras.settings import standardize_data_format


class AdaptivePooling(Layer):
    """Reduce (batch, *space, channels) to (batch, *output_size, channels).

    Window i of n along an axis of size s holds the entries from floor(i s / n) to
    ceil((i + 1) s / n) - 1.

    Args:
        output_size: int >= 1, or one for each axis of space.
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad argument, or inputs of another rank.
    """

    rank: int

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.output_size = int_tuple(output_size, self.rank, "output_size")
        self.data_format = standardize_data_format(data_format)


class _AdaptiveAverage(AdaptivePooling):
    def call(self, inputs):
        """mean of each window"""
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class _AdaptiveMax(AdaptivePooling):
    def call(self, inputs):
        """largest entry of each window"""
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptiveAverage):
    """Means of `output_size` windows of (batch, steps, channels).

    Args: see `AdaptivePooling`.
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAverage):
    """Means of windows of (batch, rows, columns, channels).

    Args: see `AdaptivePooling`.

    >>> import numpy as np
    >>> AdaptiveAveragePooling2D((2, 3))(np.ones((1, 5, 5, 4))).shape
    (1, 2, 3, 4)
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAverage):
    """Means of windows of (batch, depth, rows, columns, channels).

    Args: see `AdaptivePooling`.
    """

    rank = 3


class AdaptiveMaxPooling1D(_AdaptiveMax):
    """Largest entries of `output_size` windows of (batch, steps, channels).

    Args: see `AdaptivePooling`.
    """

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMax):
    """Largest entries of windows of (batch, rows, columns, channels).

    Args: see `AdaptivePooling`.
    """

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMax):
    """Largest entries of windows of (batch, depth, rows, columns, channels).

    Args: see `AdaptivePooling`.
    """

    rank = 3

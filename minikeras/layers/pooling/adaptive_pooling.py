"""Adaptive pooling: the number of windows is given, not their size."""

from minikeras import ops
from minikeras.core.checks import int_tuple
from minikeras.layers.layer import Layer
from minikeras.settings import standardize_data_format


class AdaptivePooling(Layer):
    """Base of the layers that reduce the spatial axes to `output_size` windows."""

    rank: int

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.output_size = int_tuple(output_size, self.rank, "output_size")
        self.data_format = standardize_data_format(data_format)


class _AdaptiveAverage(AdaptivePooling):
    def call(self, inputs):
        """Return the mean of each window.

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class _AdaptiveMax(AdaptivePooling):
    def call(self, inputs):
        """Return the largest entry of each window.

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptiveAverage):
    """Average `output_size` windows of a sequence.

    Window i of n along an axis of size s holds the entries from floor(i s / n) to
    ceil((i + 1) s / n) - 1.

    Args:
        output_size: int >= 1 or a tuple of one, number of windows along each axis.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: the same with `output_size` in place of steps.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank.

    >>> keras.layers.AdaptiveAveragePooling1D(2)(np.ones((1, 5, 4))).shape
    (1, 2, 4)
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAverage):
    """Average `output_size` windows of an image.

    Window i of n along an axis of size s holds the entries from floor(i s / n) to
    ceil((i + 1) s / n) - 1.

    Args:
        output_size: int >= 1 or a pair, number of windows along each axis.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: the same with `output_size` in place of rows, columns.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank.

    >>> keras.layers.AdaptiveAveragePooling2D((2, 3))(np.ones((1, 5, 5, 4))).shape
    (1, 2, 3, 4)
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAverage):
    """Average `output_size` windows of a volume.

    Window i of n along an axis of size s holds the entries from floor(i s / n) to
    ceil((i + 1) s / n) - 1.

    Args:
        output_size: int >= 1 or three ints, number of windows along each axis.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or (batch, channels, depth,
    rows, columns) for `"channels_first"`.
    Output shape: the same with `output_size` in place of depth, rows, columns.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank.

    >>> keras.layers.AdaptiveAveragePooling3D(2)(np.ones((1, 5, 5, 5, 4))).shape
    (1, 2, 2, 2, 4)
    """

    rank = 3


class AdaptiveMaxPooling1D(_AdaptiveMax):
    """Take the largest entry of `output_size` windows of a sequence.

    Window i of n along an axis of size s holds the entries from floor(i s / n) to
    ceil((i + 1) s / n) - 1.

    Args:
        output_size: int >= 1 or a tuple of one, number of windows along each axis.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: the same with `output_size` in place of steps.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank.

    >>> keras.layers.AdaptiveMaxPooling1D(2)(np.ones((1, 5, 4))).shape
    (1, 2, 4)
    """

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMax):
    """Take the largest entry of `output_size` windows of an image.

    Window i of n along an axis of size s holds the entries from floor(i s / n) to
    ceil((i + 1) s / n) - 1.

    Args:
        output_size: int >= 1 or a pair, number of windows along each axis.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: the same with `output_size` in place of rows, columns.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank.

    >>> keras.layers.AdaptiveMaxPooling2D((2, 3))(np.ones((1, 5, 5, 4))).shape
    (1, 2, 3, 4)
    """

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMax):
    """Take the largest entry of `output_size` windows of a volume.

    Window i of n along an axis of size s holds the entries from floor(i s / n) to
    ceil((i + 1) s / n) - 1.

    Args:
        output_size: int >= 1 or three ints, number of windows along each axis.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or (batch, channels, depth,
    rows, columns) for `"channels_first"`.
    Output shape: the same with `output_size` in place of depth, rows, columns.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank.

    >>> keras.layers.AdaptiveMaxPooling3D(2)(np.ones((1, 5, 5, 5, 4))).shape
    (1, 2, 2, 2, 4)
    """

    rank = 3

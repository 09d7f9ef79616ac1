"""Max pooling over one, two and three spatial axes."""

from minikeras import ops
from minikeras.layers.pooling.pool import Pooling


class _MaxPooling(Pooling):
    """Base of the max pooling layers: `pool_size` is 2 by default, as in Keras."""

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
    def _mk_pool(inputs, pool_size, strides, padding, data_format):
        """ops.max_pool"""
        return ops.max_pool(inputs, pool_size, strides, padding, data_format)


class MaxPooling1D(_MaxPooling):
    """Take the largest entry of each window of a sequence.

    Args:
        pool_size: int >= 1 or a tuple of one, size of the window.
        strides: int >= 1 or a tuple of one, distance between windows; None takes
            `pool_size`.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs, so that
            strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        name: str, unique name of the layer; None makes one.
        **kwargs: `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: the same with smaller steps.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank, or smaller
            than a `"valid"` window.

    >>> keras.layers.MaxPooling1D(2)(np.array([[[1.0], [4.0], [2.0], [3.0]]])).tolist()
    [[[4.0], [3.0]]]
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """Take the largest entry of each window of an image.

    Args:
        pool_size: int >= 1 or a pair, size of the window.
        strides: int >= 1 or a pair, distance between windows; None takes `pool_size`.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs, so that
            strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        name: str, unique name of the layer; None makes one.
        **kwargs: `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: the same with smaller rows, columns.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank, or smaller
            than a `"valid"` window.

    >>> keras.layers.MaxPooling2D(2)(np.ones((1, 4, 6, 3))).shape
    (1, 2, 3, 3)
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """Take the largest entry of each window of a volume.

    Args:
        pool_size: int >= 1 or three ints, size of the window.
        strides: int >= 1 or three ints, distance between windows; None takes
            `pool_size`.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs, so that
            strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        name: str, unique name of the layer; None makes one.
        **kwargs: `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or (batch, channels, depth,
    rows, columns) for `"channels_first"`.
    Output shape: the same with smaller depth, rows, columns.

    Raises:
        ValueError: an invalid argument; in a call: inputs of another rank, or smaller
            than a `"valid"` window.

    >>> keras.layers.MaxPooling3D(2)(np.ones((1, 4, 4, 6, 3))).shape
    (1, 2, 2, 3, 3)
    """

    rank = 3

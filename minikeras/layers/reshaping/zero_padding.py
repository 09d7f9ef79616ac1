"""Zero padding of sequences, images and volumes."""

import jax.numpy as jnp

from minikeras.core.checks import int_pairs, int_tuple
from minikeras.layers.reshaping.spatial import SpatialLayer


def zero_pad(x, padding, axes):
    """Put (before, after) zeros at the ends of each of the axes."""
    widths = [(0, 0)] * x.ndim
    for axis, pair in zip(axes, padding, strict=True):
        widths[axis] = pair
    return jnp.pad(x, widths)


class ZeroPadding1D(SpatialLayer):
    """Put zeros at both ends of sequences.

    Args:
        padding: int, or a pair (before, after), numbers of steps >= 0.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or channels first.
    Output shape: the same with before + steps + after steps.

    Raises:
        ValueError: an invalid `padding`.

    >>> keras.layers.ZeroPadding1D((1, 2))(np.ones((1, 1, 1))).tolist()
    [[[0.0], [1.0], [0.0], [0.0]]]
    """

    rank = 1

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = int_tuple(padding, 2, "padding", allow_zero=True)
        self._mk_set_data_format(data_format)

    def call(self, inputs):
        """Return the padded inputs.

        Args:
            inputs: (batch, steps, channels), or channels first.
        """
        return zero_pad(inputs, (self.padding,), self._mk_axes)


class ZeroPadding2D(SpatialLayer):
    """Put zeros around images.

    Args:
        padding: int, (rows, columns), or ((top, bottom), (left, right)); ints >= 0.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or channels first.
    Output shape: the same with more rows and columns.

    Raises:
        ValueError: an invalid `padding`.

    >>> keras.layers.ZeroPadding2D(((1, 2), (0, 1)))(np.ones((1, 5, 5, 3))).shape
    (1, 8, 6, 3)
    """

    rank = 2

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = int_pairs(padding, self.rank, "padding")
        self._mk_set_data_format(data_format)

    def call(self, inputs):
        """Return the padded inputs.

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        return zero_pad(inputs, self.padding, self._mk_axes)


class ZeroPadding3D(ZeroPadding2D):
    """Put zeros around volumes.

    Args:
        padding: int, three ints, or three pairs (before, after); ints >= 0.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or channels first.
    Output shape: the same with larger depth, rows, columns.

    Raises:
        ValueError: an invalid `padding`.

    >>> keras.layers.ZeroPadding3D(1)(np.ones((1, 5, 6, 7, 3))).shape
    (1, 7, 8, 9, 3)
    """

    rank = 3

    def __init__(self, padding=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)

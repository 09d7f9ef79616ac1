"""Zero padding of images and sequences."""

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
    """(batch, steps, features) -> (batch, before + steps + after, features).

    Args:
        padding: int, or (before, after).
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad `padding`.
    """

    rank = 1

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = int_tuple(padding, 2, "padding", allow_zero=True)
        self._mk_prepare(data_format)

    def call(self, inputs):
        """zero_pad(inputs)"""
        return zero_pad(inputs, (self.padding,), self._mk_axes)


class ZeroPadding2D(SpatialLayer):
    """Put zeros around images (batch, rows, columns, channels).

    Args:
        padding: int, (rows, columns), or ((top, bottom), (left, right)).
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad `padding`.
    """

    rank = 2

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = int_pairs(padding, self.rank, "padding")
        self._mk_prepare(data_format)

    def call(self, inputs):
        """zero_pad(inputs)"""
        return zero_pad(inputs, self.padding, self._mk_axes)


class ZeroPadding3D(ZeroPadding2D):
    """Put zeros around volumes (batch, depth, rows, columns, channels).

    Args:
        padding: int, three ints, or three pairs (before, after).
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad `padding`.
    """

    rank = 3

    def __init__(self, padding=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)

"""Upsampling: repeat or interpolate the entries of images and sequences."""

import jax.numpy as jnp

from minikeras.core.checks import int_tuple, repetitions
from minikeras.layers.reshaping.spatial import SpatialLayer
from minikeras.ops.image_sizes import resized

_INTERPOLATIONS = ("bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")


def up_sample(x, size, axes, interpolation="nearest"):
    """Make each of the axes `size` times as long."""
    if interpolation == "nearest":
        for axis, times in zip(axes, size, strict=True):
            x = jnp.repeat(x, times, axis=axis)
        return x
    shape = list(x.shape)
    for axis, times in zip(axes, size, strict=True):
        shape[axis] *= times
    return resized(x, shape, interpolation)


class UpSampling1D(SpatialLayer):
    """(batch, steps, features) -> (batch, size * steps, features), steps repeated.

    Args:
        size: int >= 1.

    Raises:
        TypeError: `size` is no integer.
        ValueError: `size` < 1.

    >>> UpSampling1D(2)(jnp.array([[[1.0], [5.0]]])).tolist()
    [[[1.0], [1.0], [5.0], [5.0]]]
    """

    rank = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = repetitions(size, "size")
        self._mk_prepare()

    def call(self, inputs):
        """up_sample(inputs)"""
        return up_sample(inputs, (self.size,), self._mk_axes)


class UpSampling2D(SpatialLayer):
    """Make images larger: (batch, rows, columns, channels).

    Args:
        size: int >= 1, or one for rows and one for columns.
        data_format: `"channels_last"`, `"channels_first"` or None.
        interpolation: `"nearest"` repeats; also `"bilinear"`, `"bicubic"`,
            `"lanczos3"`, `"lanczos5"`.

    Raises:
        ValueError: a bad `size` or an unknown interpolation.
    """

    rank = 2

    def __init__(
        self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs
    ):
        super().__init__(**kwargs)
        self.size = int_tuple(size, 2, "size")
        self.interpolation = interpolation.lower()
        if self.interpolation not in _INTERPOLATIONS:
            raise ValueError(
                f"UpSampling2D: interpolation must be one of {list(_INTERPOLATIONS)}, "
                f"got {interpolation!r}."
            )
        self._mk_prepare(data_format)

    def call(self, inputs):
        """up_sample(inputs)"""
        return up_sample(inputs, self.size, self._mk_axes, self.interpolation)


class UpSampling3D(SpatialLayer):
    """Repeat the entries of volumes (batch, depth, rows, columns, channels).

    Args:
        size: int >= 1, or three of them.
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad `size`.
    """

    rank = 3

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.size = int_tuple(size, 3, "size")
        self._mk_prepare(data_format)

    def call(self, inputs):
        """up_sample(inputs)"""
        return up_sample(inputs, self.size, self._mk_axes)

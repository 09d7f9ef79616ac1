"""Upsampling: repeat or interpolate the entries of sequences, images and volumes."""

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
    """Repeat each step of sequences.

    Args:
        size: int >= 1, number of copies of each step.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels). Output shape: (batch, size * steps,
    channels).

    Raises:
        TypeError: `size` is not an integer.
        ValueError: `size` is below 1.

    >>> keras.layers.UpSampling1D(2)(np.array([[[1.0], [5.0]]])).tolist()
    [[[1.0], [1.0], [5.0], [5.0]]]
    """

    rank = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = repetitions(size, "size")
        self._mk_set_data_format()

    def call(self, inputs):
        """Return the repeated steps.

        Args:
            inputs: (batch, steps, channels).
        """
        return up_sample(inputs, (self.size,), self._mk_axes)


class UpSampling2D(SpatialLayer):
    """Enlarge images by whole factors.

    Args:
        size: int >= 1, or a pair for rows and columns.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        interpolation: `"nearest"` repeats entries; `"bilinear"`, `"bicubic"`,
            `"lanczos3"` and `"lanczos5"` interpolate.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or channels first.
    Output shape: the same with `size` times the rows and columns.

    Raises:
        ValueError: an invalid `size` or an unknown `interpolation`.

    >>> keras.layers.UpSampling2D(2)(np.ones((1, 3, 4, 5))).shape
    (1, 6, 8, 5)
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
        self._mk_set_data_format(data_format)

    def call(self, inputs):
        """Return the enlarged images.

        Args:
            inputs: (batch, rows, columns, channels), or channels first.
        """
        return up_sample(inputs, self.size, self._mk_axes, self.interpolation)


class UpSampling3D(SpatialLayer):
    """Repeat the entries of volumes.

    Args:
        size: int >= 1, or three ints, numbers of copies along each axis.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or channels first.
    Output shape: the same with `size` times the depth, rows and columns.

    Raises:
        ValueError: an invalid `size`.

    >>> keras.layers.UpSampling3D(2)(np.ones((1, 2, 3, 4, 5))).shape
    (1, 4, 6, 8, 5)
    """

    rank = 3

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.size = int_tuple(size, 3, "size")
        self._mk_set_data_format(data_format)

    def call(self, inputs):
        """Return the repeated entries.

        Args:
            inputs: (batch, depth, rows, columns, channels), or channels first.
        """
        return up_sample(inputs, self.size, self._mk_axes)

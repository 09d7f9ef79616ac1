"""Cropping: cut off the edges of images and sequences."""

from minikeras.core.checks import int_pairs, int_tuple
from minikeras.layers.reshaping.spatial import SpatialLayer


def crop(x, cropping, axes):
    """Cut (before, after) entries off the ends of each of the axes."""
    index = [slice(None)] * x.ndim
    for axis, (before, after) in zip(axes, cropping, strict=True):
        index[axis] = slice(before, x.shape[axis] - after)
    return x[tuple(index)]


class _Cropping(SpatialLayer):
    """Base of the cropping layers."""

    def _mk_pairs(self):
        return self.cropping

    def call(self, inputs):
        """crop(inputs)"""
        sizes = [inputs.shape[axis] for axis in self._mk_axes]
        for size, (before, after) in zip(sizes, self._mk_pairs(), strict=True):
            if before + after >= size:
                raise ValueError(self._mk_too_much(tuple(inputs.shape)))
        return crop(inputs, self._mk_pairs(), self._mk_axes)

    def _mk_too_much(self, shape):
        return (
            "Values in `cropping` argument should be smaller than the corresponding "
            f"spatial dimension of the input. Received: input_shape={shape}, "
            f"cropping={self.cropping}"
        )


class Cropping1D(_Cropping):
    """(batch, steps, features) -> (batch, steps - before - after, features).

    Args:
        cropping: int, or (before, after).

    Raises:
        ValueError: a bad `cropping`, or nothing would be left.

    >>> import numpy as np
    >>> Cropping1D((1, 2))(np.arange(4.0).reshape(1, 4, 1)).tolist()
    [[[1.0]]]
    """

    rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(**kwargs)
        self.cropping = int_tuple(cropping, 2, "cropping", allow_zero=True)
        self._mk_prepare()

    def _mk_pairs(self):
        return (self.cropping,)

    def _mk_too_much(self, shape):
        return (
            "`cropping` parameter of `Cropping1D` layer must be smaller than the "
            f"number of steps. Received: input_shape={shape}, "
            f"cropping={self.cropping}"
        )


class Cropping2D(_Cropping):
    """Cut off the edges of images (batch, rows, columns, channels).

    Args:
        cropping: int, (rows, columns), or ((top, bottom), (left, right)).
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad `cropping`, or nothing would be left.
    """

    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.cropping = int_pairs(cropping, self.rank, "cropping")
        self._mk_prepare(data_format)


class Cropping3D(Cropping2D):
    """Cut off the edges of volumes (batch, depth, rows, columns, channels).

    Args:
        cropping: int, three ints, or three pairs (before, after).
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad `cropping`, or nothing would be left.
    """

    rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)

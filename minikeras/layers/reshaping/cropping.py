"""Cropping: cut off the edges of sequences, images and volumes."""

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
        """Pairs (before, after), one for each spatial axis."""
        return self.cropping

    def call(self, inputs):
        """Return the cropped inputs.

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        sizes = [inputs.shape[axis] for axis in self._mk_axes]
        for size, (before, after) in zip(sizes, self._mk_pairs(), strict=True):
            if before + after >= size:
                raise ValueError(self._mk_size_error(tuple(inputs.shape)))
        return crop(inputs, self._mk_pairs(), self._mk_axes)

    def _mk_size_error(self, shape):
        """The message for a cropping that leaves nothing of inputs of this shape."""
        return (
            "Values in `cropping` argument should be smaller than the corresponding "
            f"spatial dimension of the input. Received: input_shape={shape}, "
            f"cropping={self.cropping}"
        )


class Cropping1D(_Cropping):
    """Cut steps off both ends of sequences.

    Args:
        cropping: int, or a pair (before, after), numbers of steps >= 0.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels).
    Output shape: (batch, steps - before - after, channels).

    Raises:
        ValueError: an invalid `cropping`; in a call: nothing would be left.

    >>> keras.layers.Cropping1D((1, 2))(np.arange(4.0).reshape(1, 4, 1)).tolist()
    [[[1.0]]]
    """

    rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(**kwargs)
        self.cropping = int_tuple(cropping, 2, "cropping", allow_zero=True)
        self._mk_set_data_format()

    def _mk_pairs(self):
        return (self.cropping,)

    def _mk_size_error(self, shape):
        return (
            "`cropping` parameter of `Cropping1D` layer must be smaller than the "
            f"number of steps. Received: input_shape={shape}, "
            f"cropping={self.cropping}"
        )


class Cropping2D(_Cropping):
    """Cut off the edges of images.

    Args:
        cropping: int, (rows, columns), or ((top, bottom), (left, right)); ints >= 0.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or channels first.
    Output shape: the same with fewer rows and columns.

    Raises:
        ValueError: an invalid `cropping`; in a call: nothing would be left.

    >>> keras.layers.Cropping2D(((1, 2), (0, 1)))(np.ones((1, 5, 5, 3))).shape
    (1, 2, 4, 3)
    """

    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.cropping = int_pairs(cropping, self.rank, "cropping")
        self._mk_set_data_format(data_format)


class Cropping3D(Cropping2D):
    """Cut off the edges of volumes.

    Args:
        cropping: int, three ints, or three pairs (before, after); ints >= 0.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or channels first.
    Output shape: the same with smaller depth, rows, columns.

    Raises:
        ValueError: an invalid `cropping`; in a call: nothing would be left.

    >>> keras.layers.Cropping3D(1)(np.ones((1, 5, 6, 7, 3))).shape
    (1, 3, 4, 5, 3)
    """

    rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)

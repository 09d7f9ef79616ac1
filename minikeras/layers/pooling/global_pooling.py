"""Global pooling: one window over the whole image or sequence."""

import jax.numpy as jnp

from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.layers.reshaping.spatial import spatial_axes
from minikeras.settings import standardize_data_format


def masked_mean(x, mask, axis, keepdims=False):
    """Mean over an axis of the steps where `mask` (batch, steps) is True.

    `axis` is 1 or 2. A sample without any such step gives NaN.
    """
    weights = jnp.expand_dims(jnp.asarray(mask).astype(x.dtype), 3 - axis)
    total = jnp.sum(x * weights, axis=axis, keepdims=keepdims)
    return total / jnp.sum(weights, axis=axis, keepdims=keepdims)


class GlobalPooling(Layer):
    """Base of the layers that reduce all spatial axes of (batch, *space, channels)."""

    rank: int

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._mk_build_at_init()

    @property
    def _mk_axes(self):
        return spatial_axes(self.rank, self.data_format)


class _GlobalAverage(GlobalPooling):
    def call(self, inputs):
        """Return the mean over the spatial axes.

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        return jnp.mean(inputs, axis=self._mk_axes, keepdims=self.keepdims)


class _GlobalMax(GlobalPooling):
    def call(self, inputs):
        """Return the largest entry over the spatial axes.

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        return jnp.max(inputs, axis=self._mk_axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAverage):
    """Average all steps of a sequence; masked steps do not count.

    Args:
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        keepdims: bool, whether to keep the reduced axes with size 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: (batch, channels), or with `keepdims` of the inputs' rank.

    >>> keras.layers.GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]])).tolist()
    [[2.0]]
    """

    rank = 1

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        """Return the mean over the steps.

        Args:
            inputs: (batch, steps, channels), or channels first.
            mask: (batch, steps) bools, False for steps that do not count; None for no
                mask.
        """
        if mask is None:
            return super().call(inputs)
        return masked_mean(inputs, mask, self._mk_axes[0], self.keepdims)

    def compute_mask(self, inputs, mask=None):
        """Return None: the output has no steps.

        Args:
            inputs: array, not used.
            mask: mask of the inputs, not used.
        """
        return None


class GlobalAveragePooling2D(_GlobalAverage):
    """Average all rows and columns of an image.

    Args:
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        keepdims: bool, whether to keep the reduced axes with size 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: (batch, channels), or with `keepdims` of the inputs' rank.

    >>> keras.layers.GlobalAveragePooling2D()(np.ones((2, 4, 5, 3))).shape
    (2, 3)
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """Average all spatial entries of a volume.

    Args:
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        keepdims: bool, whether to keep the reduced axes with size 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or (batch, channels, depth,
    rows, columns) for `"channels_first"`.
    Output shape: (batch, channels), or with `keepdims` of the inputs' rank.

    >>> keras.layers.GlobalAveragePooling3D()(np.ones((2, 4, 5, 6, 3))).shape
    (2, 3)
    """

    rank = 3


class GlobalMaxPooling1D(_GlobalMax):
    """Take the largest entry over the steps of a sequence.

    Args:
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        keepdims: bool, whether to keep the reduced axes with size 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: (batch, channels), or with `keepdims` of the inputs' rank.

    >>> keras.layers.GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]])).tolist()
    [[3.0]]
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """Take the largest entry over the rows and columns of an image.

    Args:
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        keepdims: bool, whether to keep the reduced axes with size 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: (batch, channels), or with `keepdims` of the inputs' rank.

    >>> keras.layers.GlobalMaxPooling2D()(np.ones((2, 4, 5, 3))).shape
    (2, 3)
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """Take the largest entry over the spatial axes of a volume.

    Args:
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        keepdims: bool, whether to keep the reduced axes with size 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or (batch, channels, depth,
    rows, columns) for `"channels_first"`.
    Output shape: (batch, channels), or with `keepdims` of the inputs' rank.

    >>> keras.layers.GlobalMaxPooling3D()(np.ones((2, 4, 5, 6, 3))).shape
    (2, 3)
    """

    rank = 3

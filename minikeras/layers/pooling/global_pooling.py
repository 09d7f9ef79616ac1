"""Global pooling: one window over the whole image or sequence."""

import jax.numpy as jnp

from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.layers.reshaping.spatial import spatial_axes
from minikeras.settings import standardize_data_format


def masked_mean(x, mask, axis, keepdims=False):
    """Mean over an axis among the steps where `mask` (batch, steps) is True.

    `axis` is 1 or 2; a sample without any such step gives NaN.
    """
    weights = jnp.expand_dims(jnp.asarray(mask).astype(x.dtype), 3 - axis)
    total = jnp.sum(x * weights, axis=axis, keepdims=keepdims)
    return total / jnp.sum(weights, axis=axis, keepdims=keepdims)


class GlobalPooling(Layer):
    """Reduce all axes of space of (batch, *space, channels).

    Args:
        data_format: `"channels_last"`, `"channels_first"` or None.
        keepdims: keep the axes of space, with size 1?

    Output (batch, channels), or (batch, 1, ..., channels) with `keepdims`.
    """

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
        """mean(inputs)"""
        return jnp.mean(inputs, axis=self._mk_axes, keepdims=self.keepdims)


class _GlobalMax(GlobalPooling):
    def call(self, inputs):
        """max(inputs)"""
        return jnp.max(inputs, axis=self._mk_axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAverage):
    """Mean over the steps of (batch, steps, channels); masked steps do not count.

    Args: see `GlobalPooling`.
    """

    rank = 1

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        """mean(inputs)"""
        if mask is None:
            return super().call(inputs)
        return masked_mean(inputs, mask, self._mk_axes[0], self.keepdims)

    def compute_mask(self, inputs, mask=None):
        """None: there are no steps left."""
        return None


class GlobalAveragePooling2D(_GlobalAverage):
    """Mean over the rows and columns of (batch, rows, columns, channels).

    Args: see `GlobalPooling`.
    """

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """Mean over the space of (batch, depth, rows, columns, channels).

    Args: see `GlobalPooling`.
    """

    rank = 3


class GlobalMaxPooling1D(_GlobalMax):
    """Largest entry over the steps of (batch, steps, channels).

    Args: see `GlobalPooling`.
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """Largest entry over the rows and columns of (batch, rows, columns, channels).

    Args: see `GlobalPooling`.
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """Largest entry over the space of (batch, depth, rows, columns, channels).

    Args: see `GlobalPooling`.
    """

    rank = 3

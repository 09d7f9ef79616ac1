"""Pooling: base of the layers that reduce windows of images and sequences."""

from minikeras.core.checks import int_tuple, padding_name
from minikeras.layers.convolutional.sliding_window import check_window
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.layers.reshaping.spatial import spatial_axes
from minikeras.settings import standardize_data_format


class Pooling(Layer):
    """Reduce windows of (batch, *space, channels).

    Args:
        pool_size: int >= 1, or one for each axis of space: the window. Average
            pooling has no default.
        strides: step from window to window; None is `pool_size`.
        padding: `"valid"` uses whole windows only; `"same"` pads, so that strides of
            1 keep the size.
        data_format: `"channels_last"`, `"channels_first"` or None.

    Raises:
        ValueError: a bad argument, inputs of another rank, or a "valid" window that
            is larger than they are.
    """

    rank: int

    def __init__(
        self,
        pool_size,
        strides=None,
        padding="valid",
        data_format=None,
        name=None,
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        strides = pool_size if strides is None else strides
        self.pool_size = int_tuple(pool_size, self.rank, "pool_size")
        self.strides = int_tuple(strides, self.rank, "strides")
        self.padding = padding_name(padding)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self._mk_build_at_init()

    @staticmethod
    def pool(inputs, pool_size, strides, padding, data_format):
        """The function of `keras.ops` that reduces the windows."""
        raise NotImplementedError

    def call(self, inputs):
        """pool(inputs)"""
        if self.padding == "valid":
            axes = spatial_axes(self.rank, self.data_format)
            window = (self.pool_size, (1,) * self.rank)
            check_window(self, "pool", inputs.shape, axes, *window)
        return self.pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )

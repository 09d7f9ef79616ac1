"""Pooling: base of the layers that reduce windows of a fixed size."""

from minikeras.core.checks import int_tuple, padding_name
from minikeras.layers.convolutional.sliding_window import check_window
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.layers.reshaping.spatial import spatial_axes
from minikeras.settings import standardize_data_format


class Pooling(Layer):
    """Reduce windows of (batch, *space, channels); a subclass says how: `_mk_pool`."""

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
    def _mk_pool(inputs, pool_size, strides, padding, data_format):
        """Reduce the windows, with a function of `keras.ops`."""
        raise NotImplementedError

    def call(self, inputs):
        """Return the reduced windows.

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        if self.padding == "valid":
            axes = spatial_axes(self.rank, self.data_format)
            window = (self.pool_size, (1,) * self.rank)
            check_window(self, "pool", inputs.shape, axes, *window)
        return self._mk_pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )

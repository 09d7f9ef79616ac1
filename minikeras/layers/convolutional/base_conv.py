"""BaseConv: base of the convolutions over one, two and three spatial axes."""

import functools

from minikeras import ops
from minikeras.layers.convolutional.sliding_window import (
    SlidingWindow,
    check_filters,
    check_steps,
)
from minikeras.layers.kernels.lora import LoRALayer


class BaseConv(LoRALayer, SlidingWindow):
    """A convolution over `rank` spatial axes: activation(kernel * inputs + bias)."""

    filters: int
    groups: int

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        lora_rank=None,
        lora_alpha=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._mk_set_arguments(locals())
        check_filters(filters, groups)
        check_steps(self.strides, self.dilation_rate)

    def build(self, input_shape):
        """Create the kernel and the bias.

        Args:
            input_shape: (batch, *space, channels), or channels first.
        """
        channels = self._mk_start_build(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: groups={self.groups} must divide the "
                f"channels: {channels} in inputs of shape {input_shape} "
                f"({self.data_format})."
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self._mk_build_kernel(shape)
        self._mk_add_bias_weight(self.filters)
        self._mk_start_lora()

    @property
    def kernel(self):
        """The (*kernel_size, channels / groups, filters) kernel."""
        return self._mk_kernel_value()

    def _mk_convolve(self, inputs, padding):
        """kernel * inputs, with a padding that may not be the layer's own."""
        convolve = functools.partial(
            ops.conv, **{**self._mk_windows, "padding": padding}
        )
        return self._mk_bind_kernel(convolve)(inputs)

    def call(self, inputs):
        """Return activation(kernel * inputs + bias).

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        self._mk_check_window(inputs.shape)
        return self._mk_finish(self._mk_convolve(inputs, self.padding))

"""SeparableConv1D and 2D: convolve each channel, then mix the channels."""

from minikeras import ops
from minikeras.layers.convolutional.sliding_window import SlidingWindow, check_count


class BaseSeparableConv(SlidingWindow):
    """A depthwise convolution, then one of window 1 over all channels.

    activation(pointwise · (depthwise * inputs) + bias)

    Args:
        filters: int >= 1, number of output channels.
        kernel_size, strides, padding, data_format, dilation_rate, activation,
            use_bias: see `SlidingWindow`.
        depth_multiplier: int >= 1, channels in between for each input channel.
        depthwise_initializer, pointwise_initializer, bias_initializer: of the
            (*kernel_size, channels, depth_multiplier) kernel, the (1, ..., channels ·
            depth_multiplier, filters) kernel and the (filters,) bias.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer,
            activity_regularizer: penalties.
        depthwise_constraint, pointwise_constraint, bias_constraint: projections
            after each update.

    Raises:
        ValueError: a bad argument, or inputs that do not fit it.

    Source: Chollet 2017, https://arxiv.org/abs/1610.02357.
    """

    depth_multiplier: int
    filters: int

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._mk_set_arguments(locals())
        check_count(depth_multiplier, "depth_multiplier")
        check_count(filters, "filters")

    def build(self, input_shape):
        """Create the two kernels and the bias."""
        channels = self._mk_start_build(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._mk_weight("depthwise_kernel", shape, "depthwise")
        between = channels * self.depth_multiplier
        shape = (*(1,) * self.rank, between, self.filters)
        self.pointwise_kernel = self._mk_weight("pointwise_kernel", shape, "pointwise")
        self._mk_add_bias_weight(self.filters)

    def call(self, inputs):
        """activation(pointwise · (depthwise * inputs) + bias)"""
        kernels = (self.depthwise_kernel, self.pointwise_kernel)
        self._mk_check_window(inputs.shape)
        return self._mk_finish(ops.separable_conv(inputs, *kernels, **self._mk_windows))


class SeparableConv1D(BaseSeparableConv):
    """Separable convolution over (batch, steps, channels).

    Args: see `BaseSeparableConv`.
    """

    rank = 1


class SeparableConv2D(BaseSeparableConv):
    """Separable convolution over (batch, rows, columns, channels).

    Args: see `BaseSeparableConv`.

    >>> import numpy as np
    >>> SeparableConv2D(4, 3, padding="same")(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 4)
    """

    rank = 2

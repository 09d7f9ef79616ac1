"""DepthwiseConv1D and 2D: convolutions that do not mix the channels."""

from minikeras import ops
from minikeras.layers.convolutional.sliding_window import SlidingWindow, check_count


class BaseDepthwiseConv(SlidingWindow):
    """A convolution of each channel alone, over `rank` axes of space.

    activation(kernel * inputs + bias), with `depth_multiplier` filters for each
    channel.

    Args:
        kernel_size, strides, padding, data_format, dilation_rate, activation,
            use_bias: see `SlidingWindow`.
        depth_multiplier: int >= 1, output channels for each input channel.
        depthwise_initializer, bias_initializer: of the (*kernel_size, channels,
            depth_multiplier) kernel and the (channels · depth_multiplier,) bias.
        depthwise_regularizer, bias_regularizer, activity_regularizer: penalties.
        depthwise_constraint, bias_constraint: projections after each update.

    Raises:
        ValueError: a bad argument, or inputs that do not fit it.
    """

    depth_multiplier: int

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._mk_set_arguments(locals())
        check_count(depth_multiplier, "depth_multiplier")

    def build(self, input_shape):
        """Create the kernel and the bias."""
        channels = self._mk_start_build(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._mk_weight("kernel", shape, settings_of="depthwise")
        self._mk_add_bias_weight(channels * self.depth_multiplier)

    def call(self, inputs):
        """activation(kernel * inputs + bias)"""
        self._mk_check_window(inputs.shape)
        return self._mk_finish(
            ops.depthwise_conv(inputs, self.kernel, **self._mk_windows)
        )


class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolution of each channel of (batch, steps, channels).

    Args: see `BaseDepthwiseConv`.
    """

    rank = 1


class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolution of each channel of (batch, rows, columns, channels).

    Args: see `BaseDepthwiseConv`.

    >>> import numpy as np
    >>> DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 8, 8, 3))).shape
    (2, 6, 6, 6)
    """

    rank = 2

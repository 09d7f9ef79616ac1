"""DepthwiseConv1D and 2D: convolutions of each channel by itself."""

from minikeras import ops
from minikeras.layers.convolutional.sliding_window import SlidingWindow, check_count


class BaseDepthwiseConv(SlidingWindow):
    """Base of the convolutions of each channel by itself, over `rank` spatial axes."""

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
        """Create the kernel and the bias.

        Args:
            input_shape: (batch, *space, channels), or channels first.
        """
        channels = self._mk_start_build(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._mk_weight("kernel", shape, settings_of="depthwise")
        self._mk_add_bias_weight(channels * self.depth_multiplier)

    def call(self, inputs):
        """Return activation(kernel * inputs + bias).

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        self._mk_check_window(inputs.shape)
        return self._mk_finish(
            ops.depthwise_conv(inputs, self.kernel, **self._mk_windows)
        )


class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolve each channel of sequences by itself.

    activation(kernel * inputs + bias), with `depth_multiplier` filters for each channel

    Args:
        kernel_size: int >= 1 or a tuple of one, size of the window.
        strides: int >= 1 or a tuple of one, distance between windows.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros,
            so that strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a tuple of one, distance between the entries of a
            window; above 1 it excludes strides above 1.
        depth_multiplier: int >= 1, number of output channels for each input channel.
        activation: name or function of the output; None is the identity.
        use_bias: bool, whether to add a bias.
        depthwise_initializer: initializer of the (*kernel_size, channels,
            depth_multiplier) kernel.
        bias_initializer: initializer of the (channels · depth_multiplier,) bias.
        depthwise_regularizer, bias_regularizer: penalties on the weights; None for
            none.
        activity_regularizer: penalty on the output, added to the loss; None for none.
        depthwise_constraint, bias_constraint: projections of the weights after each
            update; None for no constraint.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: (batch, new_steps, channels · depth_multiplier), or channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 8, 3))).shape
    (2, 6, 6)
    """

    rank = 1


class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolve each channel of images by itself.

    activation(kernel * inputs + bias), with `depth_multiplier` filters for each channel

    Args:
        kernel_size: int >= 1 or a pair, size of the window.
        strides: int >= 1 or a pair, distance between windows.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros,
            so that strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a pair, distance between the entries of a window;
            above 1 it excludes strides above 1.
        depth_multiplier: int >= 1, number of output channels for each input channel.
        activation: name or function of the output; None is the identity.
        use_bias: bool, whether to add a bias.
        depthwise_initializer: initializer of the (*kernel_size, channels,
            depth_multiplier) kernel.
        bias_initializer: initializer of the (channels · depth_multiplier,) bias.
        depthwise_regularizer, bias_regularizer: penalties on the weights; None for
            none.
        activity_regularizer: penalty on the output, added to the loss; None for none.
        depthwise_constraint, bias_constraint: projections of the weights after each
            update; None for no constraint.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: (batch, new_rows, new_columns, channels · depth_multiplier), or
    channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    >>> keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 8, 8, 3))).shape
    (2, 6, 6, 6)
    """

    rank = 2

"""SeparableConv1D and 2D: convolve each channel, then mix the channels."""

from minikeras import ops
from minikeras.layers.convolutional.sliding_window import SlidingWindow, check_count


class BaseSeparableConv(SlidingWindow):
    """Base of the separable convolutions over `rank` spatial axes."""

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
        """Create the two kernels and the bias.

        Args:
            input_shape: (batch, *space, channels), or channels first.
        """
        channels = self._mk_start_build(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._mk_weight("depthwise_kernel", shape, "depthwise")
        between = channels * self.depth_multiplier
        shape = (*(1,) * self.rank, between, self.filters)
        self.pointwise_kernel = self._mk_weight("pointwise_kernel", shape, "pointwise")
        self._mk_add_bias_weight(self.filters)

    def call(self, inputs):
        """Return activation(pointwise · (depthwise * inputs) + bias).

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        kernels = (self.depthwise_kernel, self.pointwise_kernel)
        self._mk_check_window(inputs.shape)
        return self._mk_finish(ops.separable_conv(inputs, *kernels, **self._mk_windows))


class SeparableConv1D(BaseSeparableConv):
    """Convolve each channel of sequences, then mix the channels.

    activation(pointwise · (depthwise * inputs) + bias): a depthwise convolution, then a
    product over all channels

    Args:
        filters: int >= 1, number of output channels.
        kernel_size: int >= 1 or a tuple of one, size of the window.
        strides: int >= 1 or a tuple of one, distance between windows.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros,
            so that strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a tuple of one, distance between the entries of a
            window; above 1 it excludes strides above 1.
        depth_multiplier: int >= 1, number of channels between the two steps for each
            input channel.
        activation: name or function of the output; None is the identity.
        use_bias: bool, whether to add a bias.
        depthwise_initializer: initializer of the (*kernel_size, channels,
            depth_multiplier) kernel.
        pointwise_initializer: initializer of the (1, ..., channels · depth_multiplier,
            filters) kernel.
        bias_initializer: initializer of the (filters,) bias.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: penalties on the
            weights; None for none.
        activity_regularizer: penalty on the output, added to the loss; None for none.
        depthwise_constraint, pointwise_constraint, bias_constraint: projections of the
            weights after each update; None for no constraint.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: (batch, new_steps, filters), or channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    Source: Chollet 2017, https://arxiv.org/abs/1610.02357.

    >>> keras.layers.SeparableConv1D(4, 3, padding="same")(np.ones((2, 8, 3))).shape
    (2, 8, 4)
    """

    rank = 1


class SeparableConv2D(BaseSeparableConv):
    """Convolve each channel of images, then mix the channels.

    activation(pointwise · (depthwise * inputs) + bias): a depthwise convolution, then a
    product over all channels

    Args:
        filters: int >= 1, number of output channels.
        kernel_size: int >= 1 or a pair, size of the window.
        strides: int >= 1 or a pair, distance between windows.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros,
            so that strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a pair, distance between the entries of a window;
            above 1 it excludes strides above 1.
        depth_multiplier: int >= 1, number of channels between the two steps for each
            input channel.
        activation: name or function of the output; None is the identity.
        use_bias: bool, whether to add a bias.
        depthwise_initializer: initializer of the (*kernel_size, channels,
            depth_multiplier) kernel.
        pointwise_initializer: initializer of the (1, ..., channels · depth_multiplier,
            filters) kernel.
        bias_initializer: initializer of the (filters,) bias.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: penalties on the
            weights; None for none.
        activity_regularizer: penalty on the output, added to the loss; None for none.
        depthwise_constraint, pointwise_constraint, bias_constraint: projections of the
            weights after each update; None for no constraint.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: (batch, new_rows, new_columns, filters), or channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    Source: Chollet 2017, https://arxiv.org/abs/1610.02357.

    >>> keras.layers.SeparableConv2D(4, 3, padding="same")(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 4)
    """

    rank = 2

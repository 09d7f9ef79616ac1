"""Conv3DTranspose: a transposed convolution over volumes."""

from minikeras.layers.convolutional.base_conv_transpose import BaseConvTranspose


class Conv3DTranspose(BaseConvTranspose):
    """Enlarge volumes with a transposed convolution.

    As in Keras, `data_format` comes before `output_padding` here.

    activation(y + bias), where y is the gradient of a convolution with this kernel in
    its inputs: each input entry adds one scaled filter to a window of the output.

    Args:
        filters: int >= 1, number of output channels.
        kernel_size: int >= 1 or three ints, size of the window.
        strides: int >= 1 or three ints, distance between windows of the output.
        padding: `"valid"` returns all windows; `"same"` crops the output to `strides`
            times the size of the inputs.
        output_padding: int or three ints, below `strides`: entries added at the end of
            the output, because a convolution maps several sizes to one. None covers all
            windows for `"valid"`, and gives `strides` times the size for `"same"`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or three ints, distance between the entries of a window;
            above 1 it excludes strides above 1.
        activation: name or function of the output; None is the identity.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (*kernel_size, filters, channels) kernel.
        bias_initializer: initializer of the (filters,) bias.
        kernel_regularizer, bias_regularizer: penalties on the weights; None for none.
        activity_regularizer: penalty on the output, added to the loss; None for none.
        kernel_constraint, bias_constraint: projections of the weights after each
            update; None for no constraint.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or (batch, channels, depth,
    rows, columns) for `"channels_first"`.
    Output shape: (batch, new_depth, new_rows, new_columns, filters), or channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    Source: Zeiler et al. 2010, "Deconvolutional networks".

    >>> keras.layers.Conv3DTranspose(4, 2, strides=2)(np.ones((1, 2, 3, 5, 1))).shape
    (1, 4, 6, 10, 4)
    """

    rank = 3

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        output_padding=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            output_padding=output_padding,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

"""Conv2DTranspose: a transposed convolution over images."""

from minikeras.layers.convolutional.base_conv_transpose import BaseConvTranspose


class Conv2DTranspose(BaseConvTranspose):
    """Enlarge images with a transposed convolution.

    activation(y + bias), where y is the gradient of a convolution with this kernel in
    its inputs: each input entry adds one scaled filter to a window of the output.

    Args:
        filters: int >= 1, number of output channels.
        kernel_size: int >= 1 or a pair, size of the window.
        strides: int >= 1 or a pair, distance between windows of the output.
        padding: `"valid"` returns all windows; `"same"` crops the output to `strides`
            times the size of the inputs.
        output_padding: int or a pair, below `strides`: entries added at the end of the
            output, because a convolution maps several sizes to one. None covers all
            windows for `"valid"`, and gives `strides` times the size for `"same"`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a pair, distance between the entries of a window;
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

    Input shape: (batch, rows, columns, channels), or (batch, channels, rows, columns)
    for `"channels_first"`.
    Output shape: (batch, new_rows, new_columns, filters), or channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    Source: Zeiler et al. 2010, "Deconvolutional networks".

    >>> keras.layers.Conv2DTranspose(4, 2, strides=2)(np.ones((2, 3, 5, 1))).shape
    (2, 6, 10, 4)
    """

    rank = 2

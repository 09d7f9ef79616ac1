"""Conv3D: a convolution over volumes."""

from minikeras.layers.convolutional.base_conv import BaseConv


class Conv3D(BaseConv):
    """Convolve volumes with trainable filters.

    activation(kernel * inputs + bias): each output entry is the inner product of one
    filter and one window of the inputs.

    Args:
        filters: int >= 1, number of output channels.
        kernel_size: int >= 1 or three ints, size of the window.
        strides: int >= 1 or three ints, distance between windows.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros,
            so that strides of 1 keep their size.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or three ints, distance between the entries of a window;
            above 1 it excludes strides above 1.
        groups: int >= 1, divides the input channels and `filters`. The filters of each
            group see one of `groups` equal parts of the channels.
        activation: name or function of the output; None is the identity.
        use_bias: bool, whether to add a bias.
        kernel_initializer: initializer of the (*kernel_size, channels / groups,
            filters) kernel.
        bias_initializer: initializer of the (filters,) bias.
        kernel_regularizer, bias_regularizer: penalties on the weights; None for none.
        activity_regularizer: penalty on the output, added to the loss; None for none.
        kernel_constraint, bias_constraint: projections of the weights after each
            update; None for no constraint.
        lora_rank: int >= 1, freeze the kernel and train an update of this rank; None
            trains the kernel.
        lora_alpha: number, scales that update by lora_alpha / lora_rank; None takes
            `lora_rank`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, depth, rows, columns, channels), or (batch, channels, depth,
    rows, columns) for `"channels_first"`.
    Output shape: (batch, new_depth, new_rows, new_columns, filters), or channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    >>> keras.layers.Conv3D(4, 3)(np.ones((2, 5, 8, 8, 3))).shape
    (2, 3, 6, 6, 4)
    """

    rank = 3

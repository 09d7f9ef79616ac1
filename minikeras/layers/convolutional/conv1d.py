"""Conv1D: a convolution over the steps of sequences."""

import jax.numpy as jnp

from minikeras.layers.convolutional.base_conv import BaseConv


def pad_past(x, steps, axis=1):
    """Put zeros before the first step, so that no output depends on later inputs."""
    widths = [(0, 0)] * x.ndim
    widths[axis] = (steps, 0)
    return jnp.pad(x, widths)


class Conv1D(BaseConv):
    """Convolve sequences with trainable filters.

    activation(kernel * inputs + bias): each output entry is the inner product of one
    filter and one window of the inputs.

    Args:
        filters: int >= 1, number of output channels.
        kernel_size: int >= 1 or a tuple of one, size of the window.
        strides: int >= 1 or a tuple of one, distance between windows.
        padding: `"valid"` uses whole windows only; `"same"` pads the inputs with zeros,
            so that strides of 1 keep their size. `"causal"` pads the start only, so
            that no output depends on later steps.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        dilation_rate: int >= 1 or a tuple of one, distance between the entries of a
            window; above 1 it excludes strides above 1.
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

    Input shape: (batch, steps, channels), or (batch, channels, steps) for
    `"channels_first"`.
    Output shape: (batch, new_steps, filters), or channels first.

    Raises:
        ValueError: an invalid argument; in a call: inputs that do not fit it.

    >>> keras.layers.Conv1D(4, 3, padding="causal")(np.ones((2, 10, 5))).shape
    (2, 10, 4)
    """

    rank = 1
    _mk_paddings = ("causal",)

    def _mk_convolve(self, inputs, padding):
        if padding == "causal":
            past = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs = pad_past(inputs, past, self._mk_space[0])
            padding = "valid"
        return super()._mk_convolve(inputs, padding)

"""BaseConvTranspose: convolutions backwards, from small images to large ones."""

from typing import Any

from minikeras import ops
from minikeras.core.checks import int_tuple
from minikeras.layers.convolutional.sliding_window import (
    SlidingWindow,
    check_count,
    check_steps,
)


def check_output_padding(output_padding, strides):
    """ValueError unless less is added on each axis than one step."""
    if any(p >= step for p, step in zip(output_padding, strides, strict=True)):
        raise ValueError(
            "`output_padding` must be strictly less than `strides` for all dimensions. "
            f"Received: output_padding={output_padding}, strides={strides}"
        )


class BaseConvTranspose(SlidingWindow):
    """A transposed convolution over `rank` axes of space.

    activation(y + bias), y being the gradient of the convolution with that kernel
    with respect to its inputs: each input entry adds one scaled filter to a window of
    the output.

    Args:
        filters: int >= 1, number of output channels.
        kernel_size, strides, padding, data_format, dilation_rate, activation,
            use_bias: see `SlidingWindow`; the step is made in the output.
        output_padding: int < `strides`, or one for each axis of space: entries added
            at the end of the output, to tell apart the sizes that a convolution maps
            to one. None makes the output `strides` times as large if `padding` is
            `"same"`.
        kernel_initializer, bias_initializer: of the (*kernel_size, filters, channels)
            kernel and the (filters,) bias.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties.
        kernel_constraint, bias_constraint: projections after each update.

    Raises:
        ValueError: a bad argument, or inputs that do not fit it.

    Source: Zeiler et al. 2010, "Deconvolutional networks".
    """

    filters: int
    output_padding: Any

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
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
        super().__init__(**kwargs)
        self._mk_set_arguments(locals())
        check_count(filters, "filters")
        check_steps(self.strides, self.dilation_rate)
        if output_padding is not None:
            wanted = (output_padding, self.rank, "output_padding")
            self.output_padding = int_tuple(*wanted, allow_zero=True)
            check_output_padding(self.output_padding, self.strides)

    def build(self, input_shape):
        """Create the kernel and the bias."""
        channels = self._mk_start_build(input_shape, must_hold_window=False)
        self.kernel = self._mk_weight(
            "kernel", (*self.kernel_size, self.filters, channels)
        )
        self._mk_add_bias_weight(self.filters)

    def call(self, inputs):
        """activation(transposed convolution of the inputs + bias)"""
        more = {"output_padding": self.output_padding}
        return self._mk_finish(
            ops.conv_transpose(inputs, self.kernel, **self._mk_windows, **more)
        )

"""BaseConvTranspose: base of the transposed convolutions, which enlarge inputs."""

from typing import Any

from minikeras import ops
from minikeras.core.checks import int_tuple
from minikeras.layers.convolutional.sliding_window import (
    SlidingWindow,
    check_count,
    check_steps,
)


def check_output_padding(output_padding, strides):
    """Raise ValueError unless `output_padding` is below `strides` on each axis."""
    if any(p >= step for p, step in zip(output_padding, strides, strict=True)):
        raise ValueError(
            "`output_padding` must be strictly less than `strides` for all dimensions. "
            f"Received: output_padding={output_padding}, strides={strides}"
        )


class BaseConvTranspose(SlidingWindow):
    """A transposed convolution over `rank` spatial axes.

    activation(y + bias), where y is the gradient of a convolution with this kernel in
    its inputs.
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
            self.output_padding = int_tuple(
                output_padding, self.rank, "output_padding", allow_zero=True
            )
            check_output_padding(self.output_padding, self.strides)

    def build(self, input_shape):
        """Create the kernel and the bias.

        Args:
            input_shape: (batch, *space, channels), or channels first.
        """
        channels = self._mk_start_build(input_shape, must_hold_window=False)
        self.kernel = self._mk_weight(
            "kernel", (*self.kernel_size, self.filters, channels)
        )
        self._mk_add_bias_weight(self.filters)

    def call(self, inputs):
        """Return activation(transposed convolution of the inputs + bias).

        Args:
            inputs: (batch, *space, channels), or channels first.
        """
        y = ops.conv_transpose(
            inputs,
            self.kernel,
            output_padding=self.output_padding,
            **self._mk_windows,
        )
        return self._mk_finish(y)

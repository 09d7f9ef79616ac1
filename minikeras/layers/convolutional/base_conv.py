"""BaseConv: the convolutions of one, two and three axes of space."""

from minikeras import activations, constraints, initializers, ops, regularizers
from minikeras.config import standardize_data_format
from minikeras.layers.arguments import InputSpec
from minikeras.layers.checks import int_tuple, padding_name
from minikeras.layers.layer import Layer
from minikeras.layers.lora import LowRank


def add_bias(x, bias, channels_first=False):
    """Add (channels,) to (batch, *space, channels) or to channels first."""
    if channels_first:
        bias = bias.reshape((-1, *(1,) * (x.ndim - 2)))
    return x + bias


def check_filters(filters, groups):
    """ValueError unless both are positive and `groups` divides `filters`."""
    if filters is not None and filters <= 0:
        raise ValueError(
            "Invalid value for argument `filters`. Expected a strictly positive "
            f"value. Received filters={filters}."
        )
    if groups <= 0:
        raise ValueError(
            "The number of groups must be a positive integer. Received: "
            f"groups={groups}."
        )
    if filters is not None and filters % groups != 0:
        raise ValueError(
            "The number of filters must be evenly divisible by the number of groups. "
            f"Received: groups={groups}, filters={filters}."
        )


def check_steps(strides, dilation_rate):
    """ValueError if both stride and dilation are above 1."""
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
            f"Received: strides={strides} and dilation_rate={dilation_rate}"
        )


def check_output(shape, axes, window, dilation_rate):
    """ValueError if a "valid" window is larger than the inputs."""
    for axis, n, dilation in zip(axes, window, dilation_rate, strict=True):
        size = shape[axis]
        if size is not None and size < (n - 1) * dilation + 1:
            raise ValueError(
                f"kernel_size={window} with dilation_rate={dilation_rate} is larger "
                f"than the inputs of shape {shape}: nothing would come out. Use a "
                "smaller window or padding='same'."
            )


class BaseConv(LowRank, Layer):
    """A convolution over `rank` axes of space.

    activation(kernel * inputs + bias): each output entry is the inner product of one
    filter with one window of the inputs.

    Args:
        filters: int >= 1, number of output channels.
        kernel_size: int >= 1, or one for each axis of space: the window.
        strides: step from window to window.
        padding: `"valid"` uses whole windows only; `"same"` pads evenly, so that
            strides of 1 keep the size; Conv1D also has `"causal"`, which pads the
            past only.
        data_format: `"channels_last"`, `"channels_first"` or None.
        dilation_rate: distance of the entries that a window takes in.
        groups: number of groups of channels that do not mix; divides both the input
            channels and `filters`.
        activation: name or function; None is the identity.
        use_bias: add a bias?
        kernel_initializer, bias_initializer: of the (*kernel_size, channels / groups,
            filters) kernel and the (filters,) bias.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties.
        kernel_constraint, bias_constraint: projections after each update.
        lora_rank, lora_alpha: see `enable_lora`.

    Raises:
        ValueError: a bad argument, or inputs that do not fit it.
    """

    rank: int
    _paddings: tuple[str, ...] = ()

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        lora_rank=None,
        lora_alpha=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        check_filters(filters, groups)
        self.filters, self.groups = filters, groups
        self.kernel_size = int_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = int_tuple(strides, self.rank, "strides")
        self.dilation_rate = int_tuple(dilation_rate, self.rank, "dilation_rate")
        check_steps(self.strides, self.dilation_rate)
        self.padding = padding_name(padding, self._paddings)
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.lora_rank, self.lora_alpha = lora_rank, lora_alpha
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    @property
    def _channel_axis(self):
        return -1 if self.data_format == "channels_last" else 1

    @property
    def _space(self):
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def build(self, input_shape):
        """Create the kernel and the bias."""
        channels = input_shape[self._channel_axis]
        if channels is None or channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: groups={self.groups} must divide the "
                f"channels: {channels} in inputs of shape {input_shape} "
                f"({self.data_format})."
            )
        if self.padding == "valid":
            window = (self.kernel_size, self.dilation_rate)
            check_output(input_shape, self._space, *window)
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self._kernel = self._weight("kernel", shape)
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None
        axis = self._channel_axis
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        self._start_lora()

    @property
    def kernel(self):
        """The (*kernel_size, channels / groups, filters) kernel."""
        return self._effective() if self.lora_enabled else self._kernel

    def _convolve(self, inputs, kernel, padding):
        return ops.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def call(self, inputs):
        """activation(kernel * inputs + bias)"""
        y = self._convolve(inputs, self.kernel, self.padding)
        if self.bias is not None:
            y = add_bias(y, self.bias.value, self.data_format == "channels_first")
        return y if self.activation is None else self.activation(y)

    def get_config(self):
        """The constructor's arguments."""
        return {"activity_regularizer": None, **super().get_config()}

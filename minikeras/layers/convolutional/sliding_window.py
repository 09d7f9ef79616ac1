"""SlidingWindow: base of all convolution layers, and checks of their arguments."""

from collections.abc import Callable
from typing import Any

from minikeras.core.checks import int_tuple, padding_name
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer
from minikeras.layers.reshaping.spatial import channel_axis, spatial_axes
from minikeras.settings import standardize_data_format


def add_bias(x, bias, channels_first=False):
    """Add (channels,) to (batch, *space, channels), or to channels first."""
    if channels_first:
        bias = bias.reshape((-1, *(1,) * (x.ndim - 2)))
    return x + bias


def check_count(value, name):
    """Raise ValueError unless the number is positive; None is allowed."""
    if value is not None and value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive "
            f"value. Received {name}={value}."
        )


def check_filters(filters, groups):
    """Raise ValueError unless both are positive and `groups` divides `filters`."""
    check_count(filters, "filters")
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
    """Raise ValueError if both stride and dilation are above 1."""
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
            f"Received: strides={strides} and dilation_rate={dilation_rate}"
        )


def check_window(layer, kind, shape, axes, window, dilation_rate):
    """Raise ValueError if a "valid" window is larger than inputs of this shape.

    Args:
        layer: the layer, whose name the message has.
        kind: name of the window in the message, "kernel" or "pool".
        shape: shape of the inputs; a size of None fits any window.
        axes: the spatial axes.
        window, dilation_rate: one int for each of them.
    """
    space = tuple(shape[axis] for axis in axes)
    extent = [(n - 1) * d + 1 for n, d in zip(window, dilation_rate, strict=True)]
    if all(s is None or s >= e for s, e in zip(space, extent, strict=True)):
        return
    dilated = f" with dilation_rate={dilation_rate}" if max(dilation_rate) > 1 else ""
    raise ValueError(
        f"{type(layer).__name__} {layer.name!r}: the {kind} of size {window}{dilated} "
        f"is larger than its input {space}. Computed output size would be zero or "
        f"negative. Use a smaller {kind}, padding='same' or larger inputs."
    )


class SlidingWindow(Layer):
    """Base of convolutions over `rank` spatial axes, with windows of a fixed size."""

    _mk_always_in_config = ("activity_regularizer",)
    rank: int
    _mk_paddings: tuple[str, ...] = ()  # besides "valid" and "same"

    kernel_size: Any
    strides: Any
    dilation_rate: Any
    padding: Any
    data_format: Any
    activation: Callable | None
    use_bias: bool

    def _mk_set_arguments(self, arguments):
        """Set the arguments as attributes, those of the windows as tuples."""
        super()._mk_set_arguments(arguments)
        self.kernel_size = int_tuple(self.kernel_size, self.rank, "kernel_size")
        self.strides = int_tuple(self.strides, self.rank, "strides")
        self.dilation_rate = int_tuple(self.dilation_rate, self.rank, "dilation_rate")
        self.padding = padding_name(self.padding, self._mk_paddings)
        self.data_format = standardize_data_format(self.data_format)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    @property
    def _mk_channel_axis(self):
        return channel_axis(self.data_format)

    @property
    def _mk_space(self):
        return spatial_axes(self.rank, self.data_format)

    @property
    def _mk_windows(self):
        """The settings as keyword arguments of the functions in `keras.ops`."""
        names = ("strides", "padding", "data_format", "dilation_rate")
        return {name: getattr(self, name) for name in names}

    def _mk_start_build(self, input_shape, must_hold_window=True):
        """Check the input shape, and return the number of channels."""
        channels = input_shape[self._mk_channel_axis]
        if channels is None:
            raise ValueError(
                f"{self.path}: the channels ({self.data_format}) must be known to "
                f"build it, got inputs of shape {tuple(input_shape)}."
            )
        if must_hold_window:
            self._mk_check_window(input_shape)
        axes = {self._mk_channel_axis: channels}
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes=axes)
        return channels

    def _mk_check_window(self, shape):
        """Raise ValueError unless inputs of this shape hold one whole kernel."""
        if self.padding == "valid":
            window = (self.kernel_size, self.dilation_rate)
            check_window(self, "kernel", shape, self._mk_space, *window)

    def _mk_add_bias_weight(self, filters):
        self.bias = self._mk_weight("bias", (filters,)) if self.use_bias else None

    def _mk_finish(self, y):
        """activation(y + bias)"""
        if self.bias is not None:
            y = add_bias(y, self.bias.value, self.data_format == "channels_first")
        return y if self.activation is None else self.activation(y)

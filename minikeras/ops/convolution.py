"""Convolutions over one, two or three spatial axes."""

from functools import partial

from jax import lax

from minikeras.core.keras_tensor import KerasTensor
from minikeras.ops.arguments import padding_mode, per_axis
from minikeras.ops.convert import as_array
from minikeras.ops.cpu_convolution import with_cpu_rules
from minikeras.ops.keras_modules import nn_op
from minikeras.settings import standardize_data_format

__all__ = [
    "conv", "conv_transpose", "depthwise_conv", "separable_conv",
]  # fmt: skip

_SPATIAL = "DHW"


def dimension_numbers(rank, data_format):
    """The layouts of inputs, kernel and outputs in JAX's letters."""
    space = _SPATIAL[-rank:]
    channels_last = standardize_data_format(data_format) == "channels_last"
    layout = f"N{space}C" if channels_last else f"NC{space}"
    return layout, f"{space}IO", layout


def _operands(function, inputs, kernel):
    """Inputs and kernel as arrays of one rank, checked."""
    # Keras casts the inputs to the dtype of the kernel.
    kernel = as_array(kernel)
    inputs = as_array(inputs).astype(kernel.dtype)
    if inputs.ndim != kernel.ndim or inputs.ndim not in (3, 4, 5):
        raise ValueError(
            f"{function}: expected inputs and a kernel of one rank, 3, 4 or 5; got "
            f"inputs.shape={inputs.shape}, kernel.shape={kernel.shape}."
        )
    return inputs, kernel


def _channels_of_kernel(axis):
    """A `spec` that takes unknown channels for those of the kernel, along `axis`."""

    def spec(trace, inputs, *kernels, data_format=None, **settings):
        shape = list(inputs.shape)
        last = standardize_data_format(data_format) == "channels_last"
        channel_axis = -1 if last else 1
        if shape[channel_axis] is None:
            shape[channel_axis] = kernels[0].shape[axis]
        return trace(KerasTensor(shape, inputs.dtype), *kernels)

    return spec


def _convolve(inputs, kernel, strides, padding, data_format, dilation_rate, groups):
    """The convolution by the fastest program of the platform."""
    rank = inputs.ndim - 2
    convolve = partial(
        lax.conv_general_dilated,
        window_strides=per_axis(strides, rank),
        padding=_padding(padding),
        rhs_dilation=per_axis(dilation_rate, rank),
        dimension_numbers=dimension_numbers(rank, data_format),
        feature_group_count=groups,
    )
    outputs = with_cpu_rules(convolve)(inputs, kernel)
    # XLA returns an empty array if the window does not fit, and a mean of it is NaN.
    if 0 not in inputs.shape and 0 in outputs.shape:
        raise ValueError(
            "The convolution gives an empty output, of shape "
            f"{outputs.shape}: inputs of "
            f"shape {inputs.shape} are smaller than the window of a kernel of shape "
            f"{kernel.shape}. Use padding='same' or a smaller kernel."
        )
    return outputs


def _padding(padding):
    """The padding in JAX's terms: a checked name, or pairs of ints as they are."""
    if not isinstance(padding, str):
        return padding
    hint = " ('causal' is made by the Conv1D layer.)"
    return padding_mode("Convolution", padding, hint)


def _channels(inputs, data_format):
    """The number of channels."""
    return inputs.shape[-1 if data_format == "channels_last" else 1]


@nn_op(tensors=("inputs", "kernel"), spec=_channels_of_kernel(-2))
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Cross-correlation Σ inputs · kernel over windows of 1 to 3 spatial axes.

    Args:
        inputs: (batch, *space, channels) array, or channels first.
        kernel: (*window, channels / groups, filters) array; the number of groups
            follows from its size.
        strides: int, or one for each spatial axis.
        padding: "valid", or "same", which pads the borders with zeros.
        data_format: "channels_last", "channels_first", or None for the global setting.
        dilation_rate: int, or one for each spatial axis: the distance of the entries of
            a window.

    Returns:
        (batch, *new space, filters) array, or filters first.

    Raises:
        ValueError: the ranks differ, the inputs are smaller than the window, or their
            channels are no multiple of the kernel's.

    >>> x, kernel = [[[1.0], [2.0], [3.0]]], [[[1.0]], [[10.0]]]
    >>> conv(x, kernel).tolist()
    [[[21.0], [32.0]]]
    """
    data_format = standardize_data_format(data_format)
    inputs, kernel = _operands("conv", inputs, kernel)
    channels, per_group = _channels(inputs, data_format), kernel.shape[-2]
    if channels % per_group:
        raise ValueError(
            "conv: the number of input channels must match the kernel's, or be a "
            f"multiple of it; got {channels} channels, kernel shape {kernel.shape}, "
            f"data format {data_format}."
        )
    # Keras has no argument for it.
    groups = channels // per_group
    return _convolve(
        inputs, kernel, strides, padding, data_format, dilation_rate, groups
    )


@nn_op(tensors=("inputs", "kernel"), spec=_channels_of_kernel(-2))
def depthwise_conv(
    inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """Cross-correlation of each channel with filters of its own.

    Args:
        inputs: (batch, *space, channels) array, or channels first.
        kernel: (*window, channels, filters per channel) array.
        strides: int, or one for each spatial axis.
        padding: "valid", or "same", which pads the borders with zeros.
        data_format: "channels_last", "channels_first", or None for the global setting.
        dilation_rate: int, or one for each spatial axis: the distance of the entries of
            a window.

    Returns:
        (batch, *new space, channels · filters per channel) array, or channels first.

    Raises:
        ValueError: the ranks or the numbers of channels differ, or the inputs are
            smaller than the window.

    >>> x, kernel = [[[1.0, 5.0], [2.0, 6.0]]], [[[1.0], [2.0]]]
    >>> depthwise_conv(x, kernel).tolist()
    [[[1.0, 10.0], [2.0, 12.0]]]
    """
    data_format = standardize_data_format(data_format)
    inputs, kernel = _operands("depthwise_conv", inputs, kernel)
    channels, filters = kernel.shape[-2:]
    if channels != _channels(inputs, data_format):
        raise ValueError(
            "depthwise_conv: the number of input channels must match the kernel's; "
            f"got inputs of shape {inputs.shape} ({data_format}) and a kernel of "
            f"shape {kernel.shape}."
        )
    # XLA wants the filters of all channels along one axis, those of a channel together.
    kernel = kernel.reshape(*kernel.shape[:-2], 1, channels * filters)
    return _convolve(
        inputs, kernel, strides, padding, data_format, dilation_rate, channels
    )


@nn_op(
    tensors=("inputs", "depthwise_kernel", "pointwise_kernel"),
    spec=_channels_of_kernel(-2),
)
def separable_conv(
    inputs,
    depthwise_kernel,
    pointwise_kernel,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
):
    """`depthwise_conv`, then a `conv` of window 1 that mixes the channels.

    Args:
        inputs: (batch, *space, channels) array, or channels first.
        depthwise_kernel: (*window, channels, filters per channel) array.
        pointwise_kernel: (*ones, channels · filters per channel, filters) array.
        strides: int, or one for each spatial axis.
        padding: "valid", or "same", which pads the borders with zeros.
        data_format: "channels_last", "channels_first", or None for the global setting.
        dilation_rate: int, or one for each spatial axis: the distance of the entries of
            a window.

    Returns:
        (batch, *new space, filters) array, or filters first.

    Raises:
        ValueError: the ranks or the numbers of channels do not fit.

    >>> x, depthwise = [[[1.0, 5.0], [2.0, 6.0]]], [[[1.0], [2.0]]]
    >>> separable_conv(x, depthwise, [[[1.0], [10.0]]]).tolist()
    [[[101.0], [122.0]]]
    """
    data_format = standardize_data_format(data_format)
    y = depthwise_conv(
        inputs, depthwise_kernel, strides, padding, data_format, dilation_rate
    )
    return conv(y, pointwise_kernel, 1, "valid", data_format)


def transposed_padding(window, stride, dilation, padding, output_padding):
    """Padding (low, high) of the dilated inputs of a transposed convolution.

    Args:
        window: int, entries of the window along one spatial axis.
        stride: int, distance of the dilated inputs.
        dilation: int, distance of the entries of the window.
        padding: "valid" or "same".
        output_padding: int, or None for the one that fits `padding`.
    """
    window = (window - 1) * dilation + 1
    if padding == "valid":
        extra = max(stride - window, 0) if output_padding is None else output_padding
        return window - 1, window - 1 + extra
    if output_padding is None:
        total = window + stride - 2
    else:
        total = 2 * (window - 1) - 2 * (window // 2) + output_padding
    # Keras puts the odd entry on the left.
    left = min(window - 1, (total + 1) // 2)
    return left, total - left


@nn_op(tensors=("inputs", "kernel"), spec=_channels_of_kernel(-1))
def conv_transpose(
    inputs,
    kernel,
    strides=1,
    padding="valid",
    output_padding=None,
    data_format=None,
    dilation_rate=1,
):
    """The gradient of `conv` with respect to its inputs.

    Args:
        inputs: (batch, *space, channels) array, or channels first.
        kernel: (*window, filters, channels) array.
        strides: int, or one for each spatial axis.
        padding: "valid", or "same", for outputs of space · strides.
        output_padding: int, or one for each spatial axis: entries added at the end of
            the outputs; None for the number that fits `padding`.
        data_format: "channels_last", "channels_first", or None for the global setting.
        dilation_rate: int, or one for each spatial axis: the distance of the entries of
            a window.

    Returns:
        (batch, *new space, filters) array, or filters first.

    Raises:
        ValueError: the ranks or the numbers of channels differ.

    >>> x, kernel = [[[1.0], [2.0]]], [[[1.0]], [[10.0]]]
    >>> conv_transpose(x, kernel, strides=2).tolist()
    [[[1.0], [10.0], [2.0], [20.0]]]
    """
    data_format = standardize_data_format(data_format)
    _padding(padding)
    inputs, kernel = _operands("conv_transpose", inputs, kernel)
    if _channels(inputs, data_format) != kernel.shape[-1]:
        raise ValueError(
            "conv_transpose: the number of input channels must match the kernel's "
            f"last axis; got inputs of shape {inputs.shape} ({data_format}) and a "
            f"kernel of shape {kernel.shape}."
        )
    rank = inputs.ndim - 2
    strides, dilation_rate = per_axis(strides, rank), per_axis(dilation_rate, rank)
    extra = (None,) * rank if output_padding is None else per_axis(output_padding, rank)
    pads = [
        transposed_padding(window, stride, dilation, padding, more)
        for window, stride, dilation, more in zip(
            kernel.shape[:-2], strides, dilation_rate, extra, strict=True
        )
    ]
    convolve = partial(
        lax.conv_transpose,
        strides=strides,
        padding=pads,
        rhs_dilation=dilation_rate,
        dimension_numbers=dimension_numbers(rank, data_format),
        # Keras's kernel is that of the convolution whose gradient this is.
        transpose_kernel=True,
    )
    return with_cpu_rules(convolve)(inputs, kernel)

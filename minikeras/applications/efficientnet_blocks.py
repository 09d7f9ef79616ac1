"""What both families of EfficientNets are built of."""

import string
from typing import NamedTuple

from minikeras import initializers, layers
from minikeras.applications.network import (
    channel_axis,
    channels_of,
    ordered,
    predictions,
)

# Rate of dropped blocks where there are as many blocks again; it grows from 0.
DROP_RATE = 0.2


class Stage(NamedTuple):
    """Blocks of one width; the first one has the stride."""

    blocks: int
    kernel_size: int
    stride: int
    expansion: int
    filters: int


def gated(x, filters, name):
    """Scale each channel by a gate in [0, 1], a function of all channels' means.

    Source: J. Hu et al., "Squeeze-and-excitation networks", arXiv:1709.01507.
    """
    channels = channels_of(x)
    gate = layers.GlobalAveragePooling2D(name=f"{name}_se_squeeze")(x)
    shape = ordered(1, 1, channels)
    gate = layers.Reshape(shape, name=f"{name}_se_reshape")(gate)
    for size, activation, part in (
        (filters, "silu", "reduce"),
        (channels, "sigmoid", "expand"),
    ):
        part = f"{name}_se_{part}"
        gate = conv(gate, size, 1, part, use_bias=True, activation=activation)
    return layers.Multiply(name=f"{name}_se_excite")([x, gate])


def with_shortcut(start, x, stride, drop_rate, name):
    """start + x where the shapes agree; in training some images go without x."""
    if stride != 1 or channels_of(start) != channels_of(x):
        return x
    if drop_rate > 0:
        noise_shape = (None, 1, 1, 1)
        x = layers.Dropout(drop_rate, noise_shape, name=f"{name}_drop")(x)
    return layers.Add(name=f"{name}_add")([x, start])


def classify_after_dropout(x, options, rate, **kwargs):
    """The top: the mean over each channel, dropout, and a dense layer."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(rate, name="top_dropout")(x)
    initializer = initializers.VarianceScaling(1 / 3, "fan_out", "uniform")
    return predictions(x, options, kernel_initializer=initializer, **kwargs)


def conv(x, filters, kernel_size, name, padding="same", use_bias=False, **kwargs):
    """A convolution with the initializer of the family."""
    return layers.Conv2D(
        filters,
        kernel_size,
        padding=padding,
        use_bias=use_bias,
        kernel_initializer=_kernel_initializer(),
        name=name,
        **kwargs,
    )(x)


def depthwise(x, kernel_size, stride, name, padding="same"):
    """A convolution of each channel by itself."""
    return layers.DepthwiseConv2D(
        kernel_size,
        strides=stride,
        padding=padding,
        use_bias=False,
        depthwise_initializer=_kernel_initializer(),
        name=name,
    )(x)


def _kernel_initializer():
    # One for each layer: each draws a seed, as Keras's do.
    return initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


def normalized(x, name, activation=None, momentum=0.99):
    """Batch normalization, and SiLU if there is a name for it."""
    x = layers.BatchNormalization(channel_axis(), momentum, name=name)(x)
    return layers.Activation("silu", name=activation)(x) if activation else x


def letter(block):
    """The name of a block within its stage: a, b, c and so on."""
    return string.ascii_lowercase[block]

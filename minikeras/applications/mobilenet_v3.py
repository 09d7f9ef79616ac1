"""MobileNetV3: inverted residual blocks with squeeze and excitation.

Source: A. Howard et al., "Searching for MobileNetV3", arXiv:1905.02244.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_nothing as preprocess_input
from minikeras.applications.mobilenet import check_alpha
from minikeras.applications.mobilenet_v2 import check_same_sides, shape_of_images
from minikeras.applications.network import (
    Options,
    build_network,
    channels_of,
    is_channels_first,
    multiple_of_8,
    padding_to_halve,
    pool_features_by_name,
    variant,
)
from minikeras.core.checks import unit_interval

__all__ = [
    "MobileNetV3Large",
    "MobileNetV3Small",
    "decode_predictions",
    "preprocess_input",
]

# Tables 1 and 2 of the paper. Each block: expansion, filters, size of the kernel,
# stride, has squeeze and excitation?, has hard SiLU (else ReLU)?
_BLOCKS = {
    "large": (
        (1, 16, 3, 1, False, False),
        (4, 24, 3, 2, False, False),
        (3, 24, 3, 1, False, False),
        (3, 40, 5, 2, True, False),
        (3, 40, 5, 1, True, False),
        (3, 40, 5, 1, True, False),
        (6, 80, 3, 2, False, True),
        (2.5, 80, 3, 1, False, True),
        (2.3, 80, 3, 1, False, True),
        (2.3, 80, 3, 1, False, True),
        (6, 112, 3, 1, True, True),
        (6, 112, 3, 1, True, True),
        (6, 160, 5, 2, True, True),
        (6, 160, 5, 1, True, True),
        (6, 160, 5, 1, True, True),
    ),
    "small": (
        (1, 16, 3, 2, True, False),
        (72 / 16, 24, 3, 2, False, False),
        (88 / 24, 24, 3, 1, False, False),
        (4, 40, 5, 2, True, True),
        (6, 40, 5, 1, True, True),
        (6, 40, 5, 1, True, True),
        (3, 48, 5, 1, True, True),
        (3, 48, 5, 1, True, True),
        (6, 96, 5, 2, True, True),
        (6, 96, 5, 1, True, True),
        (6, 96, 5, 1, True, True),
    ),
}
# Channels of the layer before the classes.
_LAST_FILTERS = {"large": 1280, "small": 1024}


def _mobilenet_v3(
    input_shape=None,
    alpha=1.0,
    minimalistic=False,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    classes=1000,
    pooling=None,
    dropout_rate=0.2,
    classifier_activation="softmax",
    include_preprocessing=True,
    name="MobileNetV3",
    *,
    kind,
):
    """Build {network}, a small network for images of any size, trained at 224 x 224.

    It scales images with values in [0, 255] itself. `input_shape` and `input_tensor`
    must agree if both are given.

    Args:
        alpha: number > 0 that scales the number of filters of the blocks. The ImageNet
            weights have 0.75 or 1, or minimalistic=True and 1.
        minimalistic: bool, whether to leave out squeeze and excitation, hard SiLU and
            kernels of 5 x 5, which some devices lack.
        dropout_rate: rate of the layer before the classes; 0 leaves the layer out.
        include_preprocessing: bool, whether it scales images; without that it takes
            values in [-1, 1].
    {arguments}

    Source: A. Howard et al., arXiv:1905.02244.
    """
    style = "minimalistic" if minimalistic else None
    published = (1.0,) if minimalistic else (0.75, 1.0)
    network = f"{name}, minimalistic" if minimalistic else name
    check_alpha(network, alpha, weights, published)
    unit_interval(dropout_rate, "dropout_rate")
    check_same_sides(name, input_shape, input_tensor)
    options = Options(
        include_top,
        weights,
        input_tensor,
        shape_of_images(input_tensor) if input_shape is None else input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )
    parts = ("weights_mobilenet_v3", kind, style, "224", str(float(alpha)), "float")
    file = "_".join(part for part in parts if part)
    return build_network(
        options,
        lambda x: _features(x, kind, alpha, minimalistic, include_preprocessing),
        top=lambda x, options: _classify(
            x, options, kind, alpha, minimalistic, dropout_rate
        ),
        pool=pool_features_by_name,
        size=None,
        file=f"mobilenet_v3/{file}{'' if include_top else '_no_top_v2'}.h5",
    )


def _features(x, kind, alpha, minimalistic, include_preprocessing):
    """Images -> features of 1/32 of their height and width."""
    if include_preprocessing:
        x = layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
    x = _normalized(x, "conv_bn")
    x = _activation(x, not minimalistic)
    for i, block in enumerate(_BLOCKS[kind]):
        expansion, filters, kernel_size, stride, is_excited, is_silu = block
        if minimalistic:
            kernel_size, is_excited, is_silu = 3, False, False
        name = f"expanded_conv_{i}" if i else "expanded_conv"
        inputs = x
        if i > 0:
            x = _expanded(x, multiple_of_8(channels_of(x) * expansion), is_silu, name)
        x = _depthwise(x, kernel_size, stride, is_silu, name)
        if is_excited:
            x = _excited(x, f"{name}_squeeze_excite")
        filters = multiple_of_8(filters * alpha)
        x = _projected(x, filters, name)
        if stride == 1 and channels_of(inputs) == filters:
            x = layers.Add(name=f"{name}_add")([inputs, x])
    filters = multiple_of_8(channels_of(x) * 6)
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name="conv_1")(x)
    x = _normalized(x, "conv_1_bn")
    return _activation(x, not minimalistic)


def _expanded(x, filters, is_silu, name):
    name = f"{name}_expand"
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)
    return _activation(_normalized(x, f"{name}_bn"), is_silu)


def _depthwise(x, kernel_size, stride, is_silu, name):
    name = f"{name}_depthwise"
    if stride == 2:
        padding = padding_to_halve(x, kernel_size)
        x = layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)
    x = layers.DepthwiseConv2D(
        kernel_size,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=name,
    )(x)
    return _activation(_normalized(x, f"{name}_bn"), is_silu)


def _excited(x, name):
    """Squeeze and excitation: each channel times a number in [0, 1] made of all."""
    channels = channels_of(x)
    scale = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
    scale = layers.Conv2D(
        multiple_of_8(channels * 0.25), 1, padding="same", name=f"{name}_conv"
    )(scale)
    scale = layers.ReLU(name=f"{name}_relu")(scale)
    scale = layers.Conv2D(channels, 1, padding="same", name=f"{name}_conv_1")(scale)
    # A hard sigmoid from ReLU, whose layers Keras's files have.
    scale = layers.ReLU(6.0)(scale + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{name}_mul")([x, scale])


def _projected(x, filters, name):
    name = f"{name}_project"
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, f"{name}_bn")


def _normalized(x, name):
    axis = 1 if is_channels_first() else -1
    return layers.BatchNormalization(axis=axis, momentum=0.999, name=name)(x)


def _activation(x, is_silu):
    return layers.Activation("hard_silu")(x) if is_silu else layers.ReLU()(x)


def _classify(x, options, kind, alpha, minimalistic, dropout_rate):
    """Mean over each channel, one more layer, dropout, classes; all by 1 x 1."""
    filters = _LAST_FILTERS[kind]
    if alpha > 1:
        filters = multiple_of_8(filters * alpha)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Conv2D(filters, 1, padding="same", name="conv_2")(x)
    x = _activation(x, not minimalistic)
    if dropout_rate > 0:
        x = layers.Dropout(dropout_rate)(x)
    x = layers.Conv2D(options.classes, 1, padding="same", name="logits")(x)
    x = layers.Flatten()(x)
    return layers.Activation(options.classifier_activation, name="predictions")(x)


MobileNetV3Large = variant(
    _mobilenet_v3, "MobileNetV3Large", "MobileNetV3Large", kind="large"
)
MobileNetV3Small = variant(
    _mobilenet_v3, "MobileNetV3Small", "MobileNetV3Small", kind="small"
)

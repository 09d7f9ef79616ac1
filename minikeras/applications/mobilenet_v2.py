"""MobileNetV2: inverted residual blocks.

Source: M. Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks",
arXiv:1801.04381.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from minikeras.applications.mobilenet import check_alpha, named_height, published_size
from minikeras.applications.network import (
    Options,
    build_network,
    channels_of,
    is_channels_first,
    is_shape,
    multiple_of_8,
    padding_to_halve,
    predictions,
    sizes,
    variant,
)

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# Rows of table 2 of the paper: expansion, filters, number of blocks, first stride.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_SIZES = (96, 128, 160, 192, 224)


def _mobilenet_v2(
    input_shape=None,
    alpha=1.0,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name=None,
):
    """Build {network}, a small network for images of 224 x 224 pixels.

    It takes images that `keras.applications.mobilenet_v2.preprocess_input` has
    prepared.

    The ImageNet weights are those for square images of 96, 128, 160, 192 or 224 pixels;
    those for 224 serve any other size, which needs include_top=False. `input_shape` and
    `input_tensor` must agree if both are given. The default name has `alpha` and the
    height of the images: "mobilenetv2_1.00_224".

    Args:
        alpha: number > 0 that scales the number of filters of all layers; 0.35, 0.5,
            0.75, 1, 1.3 or 1.4 for the ImageNet weights.
    {arguments}

    Source: M. Sandler et al., arXiv:1801.04381.
    """
    check_alpha("MobileNetV2", alpha, weights, _ALPHAS)
    check_same_sides("MobileNetV2", input_shape, input_tensor)
    shape = input_shape
    if shape is None and include_top:
        shape = shape_of_images(input_tensor)
    size = published_size(shape, _SIZES)
    height = named_height(input_shape, size, include_top, weights)
    options = Options(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        f"mobilenetv2_{alpha:.2f}_{height}" if name is None else name,
    )
    network = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
    top = "" if include_top else "_no_top"
    return build_network(
        options,
        lambda x: _features(x, alpha),
        top=_classify,
        size=size,
        file=f"mobilenet_v2/{network}_{float(alpha)}_{size}{top}.h5",
    )


def shape_of_images(input_tensor):
    """The shape of one image of the user's tensor, or None."""
    shape = getattr(input_tensor, "shape", None)
    return None if shape is None else tuple(shape[1:])


def check_same_sides(network, input_shape, input_tensor):
    """ValueError if shape and tensor of the user have other heights or widths."""
    shape = shape_of_images(input_tensor)
    if shape is None or not is_shape(input_shape):
        return
    if sizes(shape)[:2] != sizes(tuple(input_shape))[:2]:
        raise ValueError(
            f"{network}: expected input_shape and input_tensor to have the same height "
            f"and width, got {tuple(input_shape)} and {shape}. Pass one of them."
        )


def _features(x, alpha):
    """Images -> features of 1/32 of their height and width."""
    filters = multiple_of_8(32 * alpha)
    x = layers.Conv2D(
        filters, 3, strides=2, padding="same", use_bias=False, name="Conv1"
    )(x)
    x = _normalized(x, "bn_Conv1")
    x = layers.ReLU(6.0, name="Conv1_relu")(x)
    number = 0
    for expansion, filters, count, first_stride in _STAGES:
        for i in range(count):
            stride = first_stride if i == 0 else 1
            name = f"block_{number}" if number else "expanded_conv"
            x = _block(x, expansion, multiple_of_8(int(filters * alpha)), stride, name)
            number += 1
    # The last layer does not shrink: it would lose too much for many classes.
    filters = multiple_of_8(1280 * max(1.0, alpha))
    x = layers.Conv2D(filters, 1, use_bias=False, name="Conv_1")(x)
    x = _normalized(x, "Conv_1_bn")
    return layers.ReLU(6.0, name="out_relu")(x)


def _block(x, expansion, filters, stride, name):
    """1 x 1 to more channels, 3 x 3 in each, 1 x 1 to few; plus the input if alike."""
    inputs = x
    if expansion > 1:
        x = layers.Conv2D(
            expansion * channels_of(x),
            1,
            padding="same",
            use_bias=False,
            name=f"{name}_expand",
        )(x)
        x = _normalized(x, f"{name}_expand_BN")
        x = layers.ReLU(6.0, name=f"{name}_expand_relu")(x)
    if stride == 2:
        x = layers.ZeroPadding2D(padding_to_halve(x, 3), name=f"{name}_pad")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _normalized(x, f"{name}_depthwise_BN")
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(
        filters, 1, padding="same", use_bias=False, name=f"{name}_project"
    )(x)
    x = _normalized(x, f"{name}_project_BN")
    if stride == 1 and channels_of(inputs) == filters:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _normalized(x, name):
    axis = 1 if is_channels_first() else -1
    return layers.BatchNormalization(axis=axis, momentum=0.999, name=name)(x)


def _classify(x, options):
    """Mean over each channel, and a dense layer."""
    return predictions(layers.GlobalAveragePooling2D()(x), options)


MobileNetV2 = variant(_mobilenet_v2, "MobileNetV2", None)

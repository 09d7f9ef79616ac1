"""MobileNet: depthwise separable convolutions.

Source: A. G. Howard et al., "MobileNets: efficient convolutional neural networks for
mobile vision applications", arXiv:1704.04861.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    is_channels_first,
    is_shape,
    sizes,
    variant,
)
from minikeras.applications.weights import IMAGENET
from minikeras.core.checks import positive_int, positive_number, unit_interval

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# Filters and stride of each block, at alpha = 1.
_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
# What is published of the ImageNet weights: alpha as files name it, sizes of images.
_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
_SIZES = (128, 160, 192, 224)
_SIZE = 224


def _mobilenet(
    input_shape=None,
    alpha=1.0,
    depth_multiplier=1,
    dropout=0.001,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name=None,
):
    """Build {network}, a small network for images of 224 x 224 pixels.

    It takes images that `keras.applications.mobilenet.preprocess_input` has prepared.

    The ImageNet weights are those for square images of 128, 160, 192 or 224 pixels;
    those for 224 serve any other size, which needs include_top=False. The default name
    has `alpha` and the height of the images: "mobilenet_1.00_224".

    Args:
        alpha: number > 0 that scales the number of filters of all layers; 0.25, 0.5,
            0.75 or 1 for the ImageNet weights.
        depth_multiplier: int, number of outputs of each depthwise convolution for each
            channel; 1 for the ImageNet weights.
        dropout: rate of the layer before the classes, in [0, 1].
    {arguments}

    Source: A. G. Howard et al., arXiv:1704.04861.
    """
    check_alpha("MobileNet", alpha, weights, _ALPHAS)
    if 32 * alpha < 1:
        raise ValueError(
            f"MobileNet: expected alpha to be at least 1 / 32, got {alpha}."
        )
    positive_int(depth_multiplier, "depth_multiplier")
    unit_interval(dropout, "dropout")
    if weights == IMAGENET and depth_multiplier != 1:
        raise ValueError(
            "MobileNet: the ImageNet weights are for depth_multiplier=1, got "
            f"{depth_multiplier}. Pass weights=None for others."
        )
    size = published_size(input_shape, _SIZES)
    height = named_height(input_shape, size, include_top, weights)
    options = Options(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        f"mobilenet_{alpha:.2f}_{height}" if name is None else name,
    )
    top = "" if include_top else "_no_top"
    return build_network(
        options,
        lambda x: _features(x, alpha, depth_multiplier),
        top=lambda x, options: _classify(x, options, dropout),
        size=size,
        file=f"mobilenet/mobilenet_{_ALPHAS.get(alpha)}_{size}_tf{top}.h5",
    )


def check_alpha(network, alpha, weights, published):
    """ValueError if `alpha` is no number > 0, or not one of the ImageNet weights.

    Args:
        network: its name, for the error.
        alpha: what the number of filters is multiplied by.
        weights: as the user passed them.
        published: the values of `alpha` for which there are ImageNet weights.
    """
    positive_number(alpha, "alpha")
    if weights == IMAGENET and alpha not in published:
        raise ValueError(
            f"{network}: there are ImageNet weights for alpha in {sorted(published)}, "
            f"got {alpha}. Pass one of them, or weights=None."
        )


def published_size(input_shape, published):
    """The side of square images with ImageNet weights of their own, else 224."""
    sides = _height_and_width(input_shape)
    return next((size for size in published if sides == (size, size)), _SIZE)


def named_height(input_shape, size, include_top, weights):
    """The height in the default name: that of the weights, else of the images."""
    if weights == IMAGENET:
        return size
    if input_shape is None:
        return size if include_top else None
    return _height_and_width(input_shape)[0]


def _height_and_width(input_shape):
    """(height, width) of a shape that is not checked yet; Nones for no shape."""
    return sizes(tuple(input_shape))[:2] if is_shape(input_shape) else (None, None)


def _features(x, alpha, depth_multiplier):
    """Images -> features of 1/32 of their height and width."""
    filters = int(32 * alpha)
    x = layers.Conv2D(
        filters, 3, strides=2, padding="same", use_bias=False, name="conv1"
    )(x)
    x = _normalized_relu(x, "conv1")
    for i, (filters, stride) in enumerate(_BLOCKS, 1):
        x = _block(x, int(filters * alpha), stride, depth_multiplier, i)
    return x


def _block(x, filters, stride, depth_multiplier, number):
    """3 x 3 in each channel, then 1 x 1 over all of them."""
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    name = f"conv_dw_{number}"
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=name,
    )(x)
    x = _normalized_relu(x, name)
    name = f"conv_pw_{number}"
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)
    return _normalized_relu(x, name)


def _normalized_relu(x, name):
    axis = 1 if is_channels_first() else -1
    x = layers.BatchNormalization(axis=axis, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _classify(x, options, dropout):
    """Mean over each channel, dropout, classes by a convolution 1 x 1."""
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(options.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((options.classes,), name="reshape_2")(x)
    return layers.Activation(options.classifier_activation, name="predictions")(x)


MobileNet = variant(_mobilenet, "MobileNet", None)

"""Xception: residual blocks of depthwise separable convolutions.

Source: F. Chollet, "Xception: deep learning with depthwise separable convolutions",
arXiv:1610.02357.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    common_weights_file,
    is_channels_first,
    variant,
)

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _xception(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="xception",
):
    """Build {network}, a network for images of 299 x 299 pixels, at least 71 x 71.

    It takes images that `keras.applications.xception.preprocess_input` has prepared.

    {arguments}

    Source: F. Chollet, arXiv:1610.02357.
    """
    options = Options(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )
    return build_network(
        options,
        _features,
        size=299,
        min_size=71,
        file=common_weights_file("xception", "xception", include_top),
    )


def _features(x):
    """Images -> features of about 1/32 of their height and width."""
    x = layers.Conv2D(32, 3, strides=2, use_bias=False, name="block1_conv1")(x)
    x = _relu(_normalized(x, "block1_conv1_bn"), "block1_conv1_act")
    x = layers.Conv2D(64, 3, use_bias=False, name="block1_conv2")(x)
    x = _relu(_normalized(x, "block1_conv2_bn"), "block1_conv2_act")
    # The first block has no ReLU before its convolutions: the one above serves.
    x = _halving_block(x, (128, 128), "block2", starts_with_relu=False)
    x = _halving_block(x, (256, 256), "block3")
    x = _halving_block(x, (728, 728), "block4")
    for i in range(5, 13):
        x = _block(x, (728, 728, 728), f"block{i}")
    x = _halving_block(x, (728, 1024), "block13")
    for i, filters in enumerate((1536, 2048), 1):
        x = _separable(x, filters, f"block14_sepconv{i}")
        x = _relu(x, f"block14_sepconv{i}_act")
    return x


def _block(x, filters, name):
    """x plus separable convolutions, each after a ReLU."""
    residual = x
    for i, n in enumerate(filters, 1):
        x = _relu(x, f"{name}_sepconv{i}_act")
        x = _separable(x, n, f"{name}_sepconv{i}")
    return layers.Add()([x, residual])


def _halving_block(x, filters, name, starts_with_relu=True):
    """The same at half the height and width; x passes a convolution 1 x 1."""
    residual = layers.Conv2D(filters[-1], 1, strides=2, padding="same", use_bias=False)(
        x
    )
    residual = _normalized(residual, None)
    for i, n in enumerate(filters, 1):
        if i > 1 or starts_with_relu:
            x = _relu(x, f"{name}_sepconv{i}_act")
        x = _separable(x, n, f"{name}_sepconv{i}")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add()([x, residual])


def _separable(x, filters, name):
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, f"{name}_bn")


def _normalized(x, name):
    axis = 1 if is_channels_first() else -1
    return layers.BatchNormalization(axis=axis, name=name)(x)


def _relu(x, name):
    return layers.Activation("relu", name=name)(x)


Xception = variant(_xception, "Xception", "xception")

"""Residual networks that normalize before they convolve.

Source: K. He et al., "Identity mappings in deep residual networks", arXiv:1603.05027.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    channel_axis,
    common_weights_file,
    pool_features_by_name,
    variant,
)
from minikeras.applications.resnet import BLOCKS, EPSILON, FILTERS

__all__ = [
    "ResNet101V2",
    "ResNet152V2",
    "ResNet50V2",
    "decode_predictions",
    "preprocess_input",
]


def _resnet_v2(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="resnetv2",
    *,
    depth,
):
    """Build {network}, a residual network for images of 224 x 224 pixels.

    It takes images that `keras.applications.resnet_v2.preprocess_input` has prepared.

    {arguments}

    Source: K. He et al., arXiv:1603.05027.
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
        lambda x: _features(x, BLOCKS[depth]),
        pool=pool_features_by_name,
        size=224,
        file=common_weights_file("resnet", f"resnet{depth}v2", include_top),
    )


def _features(x, blocks):
    """Images -> features of 1/32 of their height and width."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, (filters, count) in enumerate(zip(FILTERS, blocks, strict=True)):
        for block in range(count):
            # The last block of each stage but the last one halves height and width.
            stride = 2 if block == count - 1 and i < len(FILTERS) - 1 else 1
            x = _block(x, filters, stride, block == 0, f"conv{i + 2}_block{block + 1}")
    return _normalized(x, "post")


def _block(x, filters, stride, has_new_channels, name):
    """1 x 1 to few channels, 3 x 3, 1 x 1 to four times as many; plus the input."""
    normal = _normalized(x, f"{name}_preact")
    if has_new_channels:
        shortcut = layers.Conv2D(4 * filters, 1, name=f"{name}_0_conv")(normal)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(normal)
    x = _normalized(x, f"{name}_1")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Conv2D(
        filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv"
    )(x)
    x = _normalized(x, f"{name}_2")
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _normalized(x, name):
    x = layers.BatchNormalization(
        axis=channel_axis(), epsilon=EPSILON, name=f"{name}_bn"
    )(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


ResNet50V2 = variant(_resnet_v2, "ResNet50V2", "resnet50v2", depth=50)
ResNet101V2 = variant(_resnet_v2, "ResNet101V2", "resnet101v2", depth=101)
ResNet152V2 = variant(_resnet_v2, "ResNet152V2", "resnet152v2", depth=152)

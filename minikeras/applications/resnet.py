"""Residual networks.

Source: K. He et al., "Deep residual learning for image recognition", arXiv:1512.03385.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_caffe as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    channel_axis,
    common_weights_file,
    pool_features_by_name,
    variant,
)

__all__ = [
    "ResNet101",
    "ResNet152",
    "ResNet50",
    "decode_predictions",
    "preprocess_input",
]

EPSILON = 1.001e-5
# Filters of the four stages, and their numbers of blocks by the depth of the network.
FILTERS = (64, 128, 256, 512)
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def _resnet(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="resnet",
    *,
    depth,
):
    """Build {network}, a residual network for images of 224 x 224 pixels.

    It takes images that `keras.applications.resnet.preprocess_input` has prepared.

    {arguments}

    Source: K. He et al., arXiv:1512.03385.
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
        file=common_weights_file("resnet", f"resnet{depth}", include_top),
    )


def _features(x, blocks):
    """Images -> features of 1/32 of their height and width."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = _normalized(x, "conv1_bn")
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, (filters, count) in enumerate(zip(FILTERS, blocks, strict=True)):
        for block in range(count):
            stride = 2 if block == 0 and i > 0 else 1
            x = _block(x, filters, stride, block == 0, f"conv{i + 2}_block{block + 1}")
    return x


def _block(x, filters, stride, has_new_shape, name):
    """1 x 1 to few channels, 3 x 3, 1 x 1 to four times as many; plus the input."""
    shortcut = x
    if has_new_shape:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(
            x
        )
        shortcut = _normalized(shortcut, f"{name}_0_bn")
    x = layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = _normalized(x, f"{name}_1_bn")
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = _normalized(x, f"{name}_2_bn")
    x = layers.Activation("relu", name=f"{name}_2_relu")(x)
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = _normalized(x, f"{name}_3_bn")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def _normalized(x, name):
    axis = channel_axis()
    return layers.BatchNormalization(axis=axis, epsilon=EPSILON, name=name)(x)


ResNet50 = variant(_resnet, "ResNet50", "resnet50", depth=50)
ResNet101 = variant(_resnet, "ResNet101", "resnet101", depth=101)
ResNet152 = variant(_resnet, "ResNet152", "resnet152", depth=152)

"""Densely connected networks.

Source: G. Huang et al., "Densely connected convolutional networks", arXiv:1608.06993.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_torch as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    channel_axis,
    channels_of,
    check_channels_last,
    common_weights_file,
    pool_features_by_name,
    variant,
)

__all__ = [
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "decode_predictions",
    "preprocess_input",
]

_EPSILON = 1.001e-5
# New channels of each block, the growth rate of the paper.
_GROWTH = 32
# Numbers of blocks in the four stages, by the depth of the network.
_BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}


def _densenet(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="densenet",
    *,
    depth,
):
    """Build {network}, a densely connected network for images of 224 x 224 pixels.

    It takes images that `keras.applications.densenet.preprocess_input` has prepared,
    in the order `image_data_format()` "channels_last".

    {arguments}

    Source: G. Huang et al., arXiv:1608.06993.
    """
    check_channels_last(name)
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
        lambda x: _features(x, _BLOCKS[depth]),
        pool=pool_features_by_name,
        size=224,
        file=common_weights_file("densenet", f"densenet{depth}", include_top),
    )


def _features(x, blocks):
    """Images -> features of 1/32 of their height and width."""
    x = layers.ZeroPadding2D(3)(x)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _normalized(x, "conv1_bn")
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, count in enumerate(blocks, start=2):
        if stage > 2:
            x = _transition(x, f"pool{stage - 1}")
        for block in range(count):
            x = _block(x, f"conv{stage}_block{block + 1}")
    x = _normalized(x, "bn")
    return layers.Activation("relu", name="relu")(x)


def _block(x, name):
    """x joined with new channels: 1 x 1 to 4 times as many as those, then 3 x 3."""
    new = _normalized(x, f"{name}_0_bn")
    new = layers.Activation("relu", name=f"{name}_0_relu")(new)
    new = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _normalized(new, f"{name}_1_bn")
    new = layers.Activation("relu", name=f"{name}_1_relu")(new)
    new = layers.Conv2D(
        _GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv"
    )(new)
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, new])


def _transition(x, name):
    """Half the channels, half the height and width."""
    x = _normalized(x, f"{name}_bn")
    x = layers.Activation("relu", name=f"{name}_relu")(x)
    filters = channels_of(x) // 2
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _normalized(x, name):
    axis = channel_axis()
    return layers.BatchNormalization(axis=axis, epsilon=_EPSILON, name=name)(x)


DenseNet121 = variant(_densenet, "DenseNet121", "densenet121", depth=121)
DenseNet169 = variant(_densenet, "DenseNet169", "densenet169", depth=169)
DenseNet201 = variant(_densenet, "DenseNet201", "densenet201", depth=201)

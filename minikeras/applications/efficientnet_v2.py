"""EfficientNets that train faster: the first stages have full convolutions.

Source: M. Tan and Q. Le, "EfficientNetV2: smaller models and faster training",
arXiv:2104.00298.
"""

import math
from typing import NamedTuple

from minikeras import initializers, layers
from minikeras.applications import efficientnet_blocks
from minikeras.applications.efficientnet_blocks import (
    DROP_RATE,
    Stage,
    classify_after_dropout,
    conv,
    depthwise,
    gated,
    letter,
    with_shortcut,
)
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_nothing as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    channel_axis,
    channels_of,
    multiple_of_8,
    pool_features_by_name,
    variant,
)

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

_DROPOUT = 0.2
# Mean and variance of red, green, blue of ImageNet's images in [0, 1].
_MEAN_RGB, _VARIANCE_RGB = (0.485, 0.456, 0.406), (0.229**2, 0.224**2, 0.225**2)
# Stages whose blocks have one 3 x 3 convolution for 1 x 1 and depthwise.
_FUSED_STAGES = 3


class _Network(NamedTuple):
    """What makes a network of the family."""

    size: int
    stages: tuple
    stem: int = 32
    width: float = 1.0
    depth: float = 1.0


_B0 = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 4, 32),
    Stage(2, 3, 2, 4, 48),
    Stage(3, 3, 2, 4, 96),
    Stage(5, 3, 1, 6, 112),
    Stage(8, 3, 2, 6, 192),
)
_S = (
    Stage(2, 3, 1, 1, 24),
    Stage(4, 3, 2, 4, 48),
    Stage(4, 3, 2, 4, 64),
    Stage(6, 3, 2, 4, 128),
    Stage(9, 3, 1, 6, 160),
    Stage(15, 3, 2, 6, 256),
)
_M = (
    Stage(3, 3, 1, 1, 24),
    Stage(5, 3, 2, 4, 48),
    Stage(5, 3, 2, 4, 80),
    Stage(7, 3, 2, 4, 160),
    Stage(14, 3, 1, 6, 176),
    Stage(18, 3, 2, 6, 304),
    Stage(5, 3, 1, 6, 512),
)
_L = (
    Stage(4, 3, 1, 1, 32),
    Stage(7, 3, 2, 4, 64),
    Stage(7, 3, 2, 4, 96),
    Stage(10, 3, 2, 4, 192),
    Stage(19, 3, 1, 6, 224),
    Stage(25, 3, 2, 6, 384),
    Stage(7, 3, 1, 6, 640),
)
_NETWORKS = {
    "b0": _Network(224, _B0),
    "b1": _Network(240, _B0, depth=1.1),
    "b2": _Network(260, _B0, width=1.1, depth=1.2),
    "b3": _Network(300, _B0, width=1.2, depth=1.4),
    "s": _Network(384, _S, stem=24),
    "m": _Network(480, _M, stem=24),
    "l": _Network(480, _L),
}


def _efficientnet_v2(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    include_preprocessing=True,
    name="efficientnetv2",
    *,
    key,
):
    """Build {network}, a scaled network that trains faster than the first ones.

    It takes images with values in [0, 255]: its first layers scale them.

    Args:
        include_preprocessing: bool, whether it has those layers. Without them S, M and
            L take x / 128 - 1, in [-1, 1], the others (x / 255 - mean) / deviation of
            each channel of ImageNet.
    {arguments}

    Source: M. Tan and Q. Le, arXiv:2104.00298.
    """
    network = _NETWORKS[key]
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

    def body(x):
        return _features(_scaled(x, key) if include_preprocessing else x, network)

    def top(x, options):
        zeros = initializers.Constant(0.0)
        return classify_after_dropout(x, options, _DROPOUT, bias_initializer=zeros)

    suffix = "" if include_top else "_notop"
    return build_network(
        options,
        body,
        top,
        pool_features_by_name,
        size=network.size,
        file=f"efficientnet_v2/efficientnetv2-{key}{suffix}.h5",
    )


def _scaled(x, key):
    """Images in [0, 255] -> those that the weights were trained on."""
    if key.startswith("b") and channels_of(x) == len(_MEAN_RGB):
        x = layers.Rescaling(1 / 255)(x)
        mean, variance = list(_MEAN_RGB), list(_VARIANCE_RGB)
        return layers.Normalization(channel_axis(), mean=mean, variance=variance)(x)
    return layers.Rescaling(1 / 128, offset=-1)(x)


def _features(x, network):
    """Scaled images -> features of 1/32 of their height and width."""
    x = conv(x, _round(network.stem * network.width), 3, "stem_conv", strides=2)
    x = _normalized(x, "stem_bn", "stem_activation")
    counts = [math.ceil(network.depth * stage.blocks) for stage in network.stages]
    # The blocks before they are multiplied, as in Keras.
    done, total = 0, sum(stage.blocks for stage in network.stages)
    for i, (stage, count) in enumerate(zip(network.stages, counts, strict=True)):
        block = _fused_block if i < _FUSED_STAGES else _block
        stage = stage._replace(filters=_round(stage.filters * network.width))
        for j in range(count):
            x = block(x, stage, DROP_RATE * done / total, f"block{i + 1}{letter(j)}")
            stage = stage._replace(stride=1)
            done += 1
    x = conv(x, _round(1280 * network.width), 1, "top_conv")
    return _normalized(x, "top_bn", "top_activation")


def _fused_block(x, stage, drop_rate, name):
    """3 x 3 to more channels, 1 x 1 to few; plus the input."""
    start = x
    if stage.expansion > 1:
        filters = stage.expansion * channels_of(x)
        x = conv(x, filters, 3, f"{name}_expand_conv", strides=stage.stride)
        x = _normalized(x, f"{name}_expand_bn", f"{name}_expand_activation")
        x = conv(x, stage.filters, 1, f"{name}_project_conv")
        x = _normalized(x, f"{name}_project_bn")
    else:
        x = conv(x, stage.filters, 3, f"{name}_project_conv", strides=stage.stride)
        x = _normalized(x, f"{name}_project_bn", f"{name}_project_activation")
    return with_shortcut(start, x, stage.stride, drop_rate, name)


def _block(x, stage, drop_rate, name):
    """1 x 1 to more channels, depthwise, gates, 1 x 1 to few; plus the input."""
    start = x
    filters = stage.expansion * channels_of(x)
    x = conv(x, filters, 1, f"{name}_expand_conv")
    x = _normalized(x, f"{name}_expand_bn", f"{name}_expand_activation")
    x = depthwise(x, stage.kernel_size, stage.stride, f"{name}_dwconv2")
    x = _normalized(x, f"{name}_bn", f"{name}_activation")
    x = gated(x, channels_of(start) // 4, name)
    x = conv(x, stage.filters, 1, f"{name}_project_conv")
    x = _normalized(x, f"{name}_project_bn")
    return with_shortcut(start, x, stage.stride, drop_rate, name)


def _normalized(x, name, activation=None):
    return efficientnet_blocks.normalized(x, name, activation, momentum=0.9)


def _round(filters):
    return multiple_of_8(filters, minimum_share=0)


EfficientNetV2B0 = variant(
    _efficientnet_v2, "EfficientNetV2B0", "efficientnetv2-b0", key="b0"
)
EfficientNetV2B1 = variant(
    _efficientnet_v2, "EfficientNetV2B1", "efficientnetv2-b1", key="b1"
)
EfficientNetV2B2 = variant(
    _efficientnet_v2, "EfficientNetV2B2", "efficientnetv2-b2", key="b2"
)
EfficientNetV2B3 = variant(
    _efficientnet_v2, "EfficientNetV2B3", "efficientnetv2-b3", key="b3"
)
EfficientNetV2S = variant(
    _efficientnet_v2, "EfficientNetV2S", "efficientnetv2-s", key="s"
)
EfficientNetV2M = variant(
    _efficientnet_v2, "EfficientNetV2M", "efficientnetv2-m", key="m"
)
EfficientNetV2L = variant(
    _efficientnet_v2, "EfficientNetV2L", "efficientnetv2-l", key="l"
)

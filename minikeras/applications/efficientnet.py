"""Networks whose depth, width and resolution grow together.

Source: M. Tan and Q. Le, "EfficientNet: rethinking model scaling for convolutional
neural networks", arXiv:1905.11946.
"""

import math
from typing import NamedTuple

from minikeras import layers
from minikeras.applications.efficientnet_blocks import (
    DROP_RATE,
    Stage,
    classify_after_dropout,
    conv,
    depthwise,
    gated,
    letter,
    normalized,
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
    padding_to_halve,
    pool_features_by_name,
    variant,
)
from minikeras.applications.weights import IMAGENET

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

_STD_RGB = (0.229, 0.224, 0.225)


class _Scale(NamedTuple):
    """What makes a network of the family: multiples of B0, and its images."""

    width: float
    depth: float
    size: int
    dropout: float


_SCALES = {
    "b0": _Scale(1.0, 1.0, 224, 0.2),
    "b1": _Scale(1.0, 1.1, 240, 0.2),
    "b2": _Scale(1.1, 1.2, 260, 0.3),
    "b3": _Scale(1.2, 1.4, 300, 0.3),
    "b4": _Scale(1.4, 1.8, 380, 0.4),
    "b5": _Scale(1.6, 2.2, 456, 0.4),
    "b6": _Scale(1.8, 2.6, 528, 0.5),
    "b7": _Scale(2.0, 3.1, 600, 0.5),
}
# Table 1 of the paper.
_STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def _efficientnet(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="efficientnet",
    *,
    key,
):
    """Build {network}, a network scaled in depth, width and resolution together.

    It takes images with values in [0, 255]: its first layers scale them.

    {arguments}

    Source: M. Tan and Q. Le, arXiv:1905.11946.
    """
    scale = _SCALES[key]
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
    suffix = "" if include_top else "_notop"
    return build_network(
        options,
        lambda x: _features(_scaled(x, weights), scale),
        lambda x, options: classify_after_dropout(x, options, scale.dropout),
        pool_features_by_name,
        size=scale.size,
        file=f"/keras-applications/efficientnet{key}{suffix}.h5",
    )


def _scaled(x, weights):
    x = layers.Rescaling(1 / 255)(x)
    x = layers.Normalization(axis=channel_axis())(x)
    if weights == IMAGENET:
        # The file holds deviations where the layer above expects variances, so that
        # one divides by their roots; here by the roots again.
        x = layers.Rescaling([1 / math.sqrt(std) for std in _STD_RGB])(x)
    return x


def _features(x, scale):
    """Scaled images -> features of 1/32 of their height and width."""
    x = layers.ZeroPadding2D(padding_to_halve(x, 3), name="stem_conv_pad")(x)
    filters = multiple_of_8(32 * scale.width)
    x = conv(x, filters, 3, "stem_conv", strides=2, padding="valid")
    x = normalized(x, "stem_bn", "stem_activation")
    counts = [math.ceil(scale.depth * stage.blocks) for stage in _STAGES]
    done, total = 0, sum(counts)
    for i, (stage, count) in enumerate(zip(_STAGES, counts, strict=True)):
        stage = stage._replace(filters=multiple_of_8(stage.filters * scale.width))
        for j in range(count):
            x = _block(x, stage, DROP_RATE * done / total, f"block{i + 1}{letter(j)}")
            stage = stage._replace(stride=1)
            done += 1
    x = conv(x, multiple_of_8(1280 * scale.width), 1, "top_conv")
    return normalized(x, "top_bn", "top_activation")


def _block(x, stage, drop_rate, name):
    """1 x 1 to more channels, depthwise, gates, 1 x 1 to few; plus the input."""
    start = x
    filters = stage.expansion * channels_of(x)
    if stage.expansion > 1:
        x = conv(x, filters, 1, f"{name}_expand_conv")
        x = normalized(x, f"{name}_expand_bn", f"{name}_expand_activation")
    padding = "same"
    if stage.stride == 2:
        zeros = padding_to_halve(x, stage.kernel_size)
        x = layers.ZeroPadding2D(zeros, name=f"{name}_dwconv_pad")(x)
        padding = "valid"
    x = depthwise(x, stage.kernel_size, stage.stride, f"{name}_dwconv", padding)
    x = normalized(x, f"{name}_bn", f"{name}_activation")
    x = gated(x, channels_of(start) // 4, name)
    x = conv(x, stage.filters, 1, f"{name}_project_conv")
    x = normalized(x, f"{name}_project_bn")
    return with_shortcut(start, x, stage.stride, drop_rate, name)


EfficientNetB0 = variant(_efficientnet, "EfficientNetB0", "efficientnetb0", key="b0")
EfficientNetB1 = variant(_efficientnet, "EfficientNetB1", "efficientnetb1", key="b1")
EfficientNetB2 = variant(_efficientnet, "EfficientNetB2", "efficientnetb2", key="b2")
EfficientNetB3 = variant(_efficientnet, "EfficientNetB3", "efficientnetb3", key="b3")
EfficientNetB4 = variant(_efficientnet, "EfficientNetB4", "efficientnetb4", key="b4")
EfficientNetB5 = variant(_efficientnet, "EfficientNetB5", "efficientnetb5", key="b5")
EfficientNetB6 = variant(_efficientnet, "EfficientNetB6", "efficientnetb6", key="b6")
EfficientNetB7 = variant(_efficientnet, "EfficientNetB7", "efficientnetb7", key="b7")

"""Convolutional networks in the manner of transformers, and two layers of theirs.

Source: Z. Liu et al., "A ConvNet for the 2020s", arXiv:2201.03545.
"""

from typing import NamedTuple

from minikeras import layers
from minikeras.applications.convnext_layers import LayerScale
from minikeras.applications.convnext_layers import StochasticDepth as StochasticDepth
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_nothing as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    channels_of,
    check_channels_last,
    pool_features,
    variant,
)
from minikeras.models import Sequential

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

_EPSILON = 1e-6
_LAYER_SCALE = 1e-6
# Mean and deviation of red, green, blue of ImageNet's images in [0, 1].
_MEAN_RGB, _STD_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class _Network(NamedTuple):
    """What makes a network of the family: blocks and channels of its four stages."""

    blocks: tuple
    channels: tuple


_NETWORKS = {
    "tiny": _Network((3, 3, 9, 3), (96, 192, 384, 768)),
    "small": _Network((3, 3, 27, 3), (96, 192, 384, 768)),
    "base": _Network((3, 3, 27, 3), (128, 256, 512, 1024)),
    "large": _Network((3, 3, 27, 3), (192, 384, 768, 1536)),
    "xlarge": _Network((3, 3, 27, 3), (256, 512, 1024, 2048)),
}


def _convnext(
    include_top=True,
    include_preprocessing=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="convnext",
    *,
    key,
):
    """Build {network}, a convolutional network in the manner of transformers.

    It takes images with values in [0, 255]: its first layer normalizes those of three
    channels. It needs `image_data_format()` "channels_last".

    Args:
        include_preprocessing: bool, whether it has that layer; without it, it takes
            (x / 255 - mean) / deviation of each channel of ImageNet.
    {arguments}

    Source: Z. Liu et al., arXiv:2201.03545.
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

    def body(x):
        if include_preprocessing and channels_of(x) == len(_MEAN_RGB):
            x = _normalized_images(x, name)
        return _features(x, _NETWORKS[key], name)

    suffix = "" if include_top else "_notop"
    return build_network(
        options,
        body,
        _classify,
        _pool,
        size=224,
        file=f"convnext/convnext_{key}{suffix}.h5",
        has_list_of_inputs=False,
    )


def _normalized_images(x, name):
    mean = [255 * value for value in _MEAN_RGB]
    variance = [(255 * value) ** 2 for value in _STD_RGB]
    name = f"{name}_prestem_normalization"
    return layers.Normalization(mean=mean, variance=variance, name=name)(x)


def _features(x, network, name):
    """Normalized images -> features of 1/32 of their height and width."""
    channels = network.channels
    stem = Sequential(
        [
            layers.Conv2D(channels[0], 4, strides=4, name=f"{name}_stem_conv"),
            _layer_norm(f"{name}_stem_layernorm"),
        ],
        name=f"{name}_stem",
    )
    # All before the blocks: initializers take their seeds in this order.
    starts = [stem, *(_downsampling(channels[i + 1], i, name) for i in range(3))]
    for stage, (start, count) in enumerate(zip(starts, network.blocks, strict=True)):
        x = start(x)
        for block in range(count):
            x = _block(x, f"{name}_stage_{stage}_block_{block}")
    return x


def _downsampling(filters, i, name):
    """A model that halves height and width."""
    return Sequential(
        [
            _layer_norm(f"{name}_downsampling_layernorm_{i}"),
            layers.Conv2D(filters, 2, strides=2, name=f"{name}_downsampling_conv_{i}"),
        ],
        name=f"{name}_downsampling_block_{i}",
    )


def _block(x, name):
    """x plus: 7 x 7 of each channel, dense to four times as many and back."""
    start, filters = x, channels_of(x)
    depthwise = f"{name}_depthwise_conv"
    x = layers.Conv2D(filters, 7, padding="same", groups=filters, name=depthwise)(x)
    x = _layer_norm(f"{name}_layernorm")(x)
    x = layers.Dense(4 * filters, name=f"{name}_pointwise_conv_1")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(filters, name=f"{name}_pointwise_conv_2")(x)
    x = LayerScale(_LAYER_SCALE, filters, name=f"{name}_layer_scale")(x)
    # Where a network is trained with StochasticDepth; these are trained without.
    x = layers.Activation("linear", name=f"{name}_identity")(x)
    return start + x


def _classify(x, options):
    x = layers.GlobalAveragePooling2D(name=f"{options.name}_head_gap")(x)
    x = _layer_norm(f"{options.name}_head_layernorm")(x)
    activation, name = options.classifier_activation, f"{options.name}_head_dense"
    return layers.Dense(options.classes, activation=activation, name=name)(x)


def _pool(x, options):
    return _layer_norm()(pool_features(x, options))


def _layer_norm(name=None):
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)


ConvNeXtTiny = variant(_convnext, "ConvNeXtTiny", "convnext_tiny", key="tiny")
ConvNeXtSmall = variant(_convnext, "ConvNeXtSmall", "convnext_small", key="small")
ConvNeXtBase = variant(_convnext, "ConvNeXtBase", "convnext_base", key="base")
ConvNeXtLarge = variant(_convnext, "ConvNeXtLarge", "convnext_large", key="large")
ConvNeXtXLarge = variant(_convnext, "ConvNeXtXLarge", "convnext_xlarge", key="xlarge")

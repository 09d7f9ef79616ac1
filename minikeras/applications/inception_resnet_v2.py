"""Inception-ResNet, version 2: Inception's branches, added to their input.

Source: C. Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual
connections on learning", arXiv:1602.07261.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from minikeras.applications.inception_v3 import (
    chain,
    convolution,
    halved,
    inception_5x5,
    joined,
    reduction,
    stem,
)
from minikeras.applications.network import (
    Options,
    build_network,
    channels_of,
    common_weights_file,
    variant,
)
from minikeras.core import registry

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

# Branches of the blocks: (filters, size of the kernel) of their convolutions.
_BLOCK35 = (
    ((32, 1),),
    ((32, 1), (32, 3)),
    ((32, 1), (48, 3), (64, 3)),
)
_BLOCK17 = (
    ((192, 1),),
    ((128, 1), (160, (1, 7)), (192, (7, 1))),
)
_BLOCK8 = (
    ((192, 1),),
    ((192, 1), (224, (1, 3)), (256, (3, 1))),
)


class CustomScaleLayer(layers.Layer):
    """x + scale * y.

    Its name is the one in the files of this network.

    Args:
        scale: number.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: a list of two arrays of one shape. Output shape: the same.
    """

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        """x + scale * y"""
        x, y = inputs
        return x + y * self.scale


registry.register(
    "keras.src.applications.inception_resnet_v2", {"CustomScaleLayer": CustomScaleLayer}
)


def _inception_resnet_v2(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="inception_resnet_v2",
):
    """Build {network}, a network for images of 299 x 299 pixels, at least 75 x 75.

    It takes images that `keras.applications.inception_resnet_v2.preprocess_input` has
    prepared.

    {arguments}

    Source: C. Szegedy et al., arXiv:1602.07261.
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
    network = "inception_resnet_v2"
    return build_network(
        options,
        _features,
        size=299,
        min_size=75,
        file=common_weights_file(network, network, include_top),
    )


def _features(x):
    """Images of 299 x 299 -> features of 8 x 8."""
    x = inception_5x5(stem(x), 96, 64, "mixed_5b")
    for i in range(1, 11):
        x = _block(x, _BLOCK35, 0.17, f"block35_{i}")
    x = reduction(x, (384,), (256, 256, 384), "mixed_6a")
    for i in range(1, 21):
        x = _block(x, _BLOCK17, 0.1, f"block17_{i}")
    x = _last_reduction(x)
    for i in range(1, 10):
        x = _block(x, _BLOCK8, 0.2, f"block8_{i}")
    x = _block(x, _BLOCK8, 1.0, "block8_10", activation=None)
    return convolution(x, 1536, 1, name="conv_7b")


def _block(x, branches, scale, name, activation="relu"):
    """The branches, brought to the channels of x by 1 x 1, scaled, plus x."""
    y = joined([chain(x, *steps) for steps in branches], f"{name}_mixed")
    y = layers.Conv2D(channels_of(x), 1, padding="same", name=f"{name}_conv")(y)
    x = CustomScaleLayer(scale)([x, y])
    if activation is None:
        return x
    return layers.Activation(activation, name=f"{name}_ac")(x)


def _last_reduction(x):
    """Half the height and width: three branches that end in 3 x 3, the maximum."""
    branches = [
        halved(chain(x, (256, 1)), 384),
        halved(chain(x, (256, 1)), 288),
        halved(chain(x, (256, 1), (288, 3)), 320),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    return joined(branches, "mixed_7a")


InceptionResNetV2 = variant(
    _inception_resnet_v2, "InceptionResNetV2", "inception_resnet_v2"
)

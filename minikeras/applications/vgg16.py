"""VGG networks: blocks of 3 x 3 convolutions. The one of 16 layers, and the family.

Source: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale
image recognition", arXiv:1409.1556.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_caffe as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    common_weights_file,
    predictions,
    variant,
)

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

# Filters of the five blocks, and their numbers of convolutions by the depth.
_FILTERS = (64, 128, 256, 512, 512)
_CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="vgg",
    *,
    depth,
):
    """Build {network}, a network of 3 x 3 convolutions for images of 224 x 224 pixels.

    It takes images that `keras.applications.vgg16.preprocess_input` has prepared.

    {arguments}

    Source: K. Simonyan and A. Zisserman, arXiv:1409.1556.
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
        lambda x: _features(x, _CONVOLUTIONS[depth]),
        top=_top,
        size=224,
        file=common_weights_file(f"vgg{depth}", f"vgg{depth}", include_top),
    )


def _features(x, convolutions):
    """Images -> features of 1/32 of their height and width."""
    for i, (filters, count) in enumerate(zip(_FILTERS, convolutions, strict=True), 1):
        for k in range(1, count + 1):
            x = layers.Conv2D(
                filters, 3, activation="relu", padding="same", name=f"block{i}_conv{k}"
            )(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{i}_pool")(x)
    return x


def _top(x, options):
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return predictions(x, options)


VGG16 = variant(vgg, "VGG16", "vgg16", depth=16)

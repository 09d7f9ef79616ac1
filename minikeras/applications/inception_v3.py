"""Inception, version 3: branches of factored convolutions, concatenated.

Source: C. Szegedy et al., "Rethinking the Inception architecture for computer vision",
arXiv:1512.00567.
"""

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    channel_axis,
    common_weights_file,
    variant,
)

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def _inception_v3(
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="inception_v3",
):
    """Build {network}, a network for images of 299 x 299 pixels, at least 75 x 75.

    It takes images that `keras.applications.inception_v3.preprocess_input` has
    prepared.

    {arguments}

    Source: C. Szegedy et al., arXiv:1512.00567.
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
        min_size=75,
        file=common_weights_file("inception_v3", "inception_v3", include_top),
    )


def _features(x):
    """Images of 299 x 299 -> features of 8 x 8."""
    x = stem(x)
    for i, pool_filters in enumerate((32, 64, 64)):
        x = inception_5x5(x, 64, pool_filters, f"mixed{i}")
    x = reduction(x, (384,), (64, 96, 96), "mixed3")
    for i, filters in enumerate((128, 160, 160, 192), 4):
        x = _inception_7x7(x, filters, f"mixed{i}")
    x = _reduction_7x7(x)
    x = _inception_3x3(x, 0)
    return _inception_3x3(x, 1)


def stem(x):
    """Images of 299 x 299 -> 192 channels of 35 x 35."""
    x = convolution(x, 32, 3, stride=2, padding="valid")
    x = convolution(x, 32, 3, padding="valid")
    x = convolution(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = convolution(x, 80, 1, padding="valid")
    x = convolution(x, 192, 3, padding="valid")
    return layers.MaxPooling2D(3, strides=2)(x)


def inception_5x5(x, filters, pool_filters, name):
    """Branches 1 x 1, 5 x 5, two of 3 x 3, and the mean.

    Args:
        x: batch of features.
        filters: of the branch 1 x 1.
        pool_filters: of the branch of the mean.
        name: of the layer that joins them.
    """
    branches = [
        chain(x, (filters, 1)),
        chain(x, (48, 1), (64, 5)),
        chain(x, (64, 1), (96, 3), (96, 3)),
        _mean_branch(x, pool_filters),
    ]
    return joined(branches, name)


def reduction(x, filters, deep_filters, name):
    """Half the height and width: branches 3 x 3, two of 3 x 3, and the maximum.

    Args:
        x: batch of features.
        filters: (number of filters,) of the first branch.
        deep_filters: the three numbers of filters of the second one.
        name: of the layer that joins them.
    """
    first, second, third = deep_filters
    shallow = halved(x, *filters)
    deep = halved(chain(x, (first, 1), (second, 3)), third)
    return joined([shallow, deep, layers.MaxPooling2D(3, strides=2)(x)], name)


def _inception_7x7(x, filters, name):
    """Branches 1 x 1, one and two of 7 x 7 in two factors each, and the mean."""
    row, column = (1, 7), (7, 1)
    branches = [
        chain(x, (192, 1)),
        chain(x, (filters, 1), (filters, row), (192, column)),
        chain(
            x,
            (filters, 1),
            (filters, column),
            (filters, row),
            (filters, column),
            (192, row),
        ),
        _mean_branch(x, 192),
    ]
    return joined(branches, name)


def _reduction_7x7(x):
    """Half the height and width: 3 x 3, 7 x 7 in two factors, and the maximum."""
    shallow = halved(chain(x, (192, 1)), 320)
    deep = halved(chain(x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192)
    return joined([shallow, deep, layers.MaxPooling2D(3, strides=2)(x)], "mixed8")


def _inception_3x3(x, i):
    """Branches 1 x 1, 3 x 3 in two parallel factors, a deeper one, and the mean."""
    first = chain(x, (320, 1))
    second = _two_factors(chain(x, (384, 1)), f"mixed9_{i}")
    third = _two_factors(chain(x, (448, 1), (384, 3)), None)
    branches = [first, second, third, _mean_branch(x, 192)]
    return joined(branches, f"mixed{9 + i}")


def _two_factors(x, name):
    return joined([chain(x, (384, (1, 3))), chain(x, (384, (3, 1)))], name)


def _mean_branch(x, filters):
    x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    return convolution(x, filters, 1)


def halved(x, filters):
    """A convolution 3 x 3 with stride 2, not padded."""
    return convolution(x, filters, 3, stride=2, padding="valid")


def chain(x, *steps):
    """Convolutions one after another: (filters, size of the kernel) each."""
    for filters, kernel_size in steps:
        x = convolution(x, filters, kernel_size)
    return x


def convolution(x, filters, kernel_size, stride=1, padding="same", name=None):
    """Convolution without bias, normalization without scale, ReLU.

    Args:
        x: batch of images or features.
        filters: number of filters.
        kernel_size: int or (height, width).
        stride: int.
        padding: "same" or "valid".
        name: of the convolution; None: layers without names of their own.
    """
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding=padding,
        use_bias=False,
        name=name,
    )(x)
    x = layers.BatchNormalization(
        axis=channel_axis(), scale=False, name=name and f"{name}_bn"
    )(x)
    return layers.Activation("relu", name=name and f"{name}_ac")(x)


def joined(branches, name):
    """The channels of all branches."""
    return layers.Concatenate(axis=channel_axis(), name=name)(branches)


InceptionV3 = variant(_inception_v3, "InceptionV3", "inception_v3")

"""NASNet: cells that a search found.

Source: B. Zoph et al., "Learning transferable architectures for scalable image
recognition", arXiv:1707.07012.
"""

from typing import NamedTuple

from minikeras import layers
from minikeras.applications.imagenet_utils import decode_predictions
from minikeras.applications.imagenet_utils import preprocess_tf as preprocess_input
from minikeras.applications.network import (
    Options,
    build_network,
    check_channels_last,
    is_shape,
    padding_to_halve,
    predictions,
    variant,
)
from minikeras.core.scopes import name_scope

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


class _Architecture(NamedTuple):
    size: int  # height and width of images, in pixels
    stem_filters: int
    filters: int  # of the first normal cells
    cells: int  # normal cells between two reductions
    # Does the cell after a reduction look back past the reduction's input too?
    skips_reduction: bool


_KINDS = {
    "large": _Architecture(331, 96, 168, 6, True),
    "mobile": _Architecture(224, 32, 44, 4, False),
}


def _nasnet(
    input_shape=None,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
    name="nasnet",
    *,
    kind,
):
    """Build {network}, a network of cells that a search found.

    It takes images that `keras.applications.nasnet.preprocess_input` has prepared:
    331 x 331 pixels for NASNetLarge, 224 x 224 for NASNetMobile. Channels come last.
    Without weights and top pass `input_shape` to NASNetLarge: as in Keras its default
    leaves height and width open, and such a network cannot be called.

    {arguments}

    Source: B. Zoph et al., arXiv:1707.07012.
    """
    check_channels_last(name)
    architecture, shape = _KINDS[kind], input_shape
    if shape is None and not (kind == "large" and weights is None):
        # Keras leaves the size of a NASNetLarge without top and weights open.
        shape = (architecture.size, architecture.size, 3)
    is_open = is_shape(shape) and None in shape
    if is_open and (weights is not None or tuple(shape)[:2] != (None, None)):
        raise ValueError(
            f"{name}: height and width must be known, got input_shape={tuple(shape)}."
        )
    options = Options(
        include_top,
        weights,
        input_tensor,
        shape,
        pooling,
        classes,
        classifier_activation,
        name,
    )
    top = "" if include_top else "_no_top"
    return build_network(
        options,
        lambda x: _features(x, architecture),
        top=_classify,
        size=architecture.size,
        file=f"nasnet/NASNet-{kind}{top.replace('_', '-')}.h5",
        cached_as=f"nasnet_{kind}{top}.h5",
    )


def _features(x, architecture):
    """Images -> features of 1/32 of their height and width."""
    _, stem_filters, filters, cells, skips_reduction = architecture
    x = _conv(x, stem_filters, 3, "stem_conv1", strides=2, padding="valid")
    x = _normalized(x, "stem_bn1")
    # Each cell sees the outputs of the two before it.
    x, previous = _cell("reduction", x, None, filters // 4, "stem_1"), x
    x, previous = _cell("reduction", x, previous, filters // 2, "stem_2"), x
    for stage in range(3):
        if stage > 0:
            filters *= 2
            name = f"reduce_{stage * cells}"
            reduced = _cell("reduction", x, previous, filters, name)
            previous = previous if skips_reduction else x
            x = reduced
        # In the names the first reduction counts as a cell, the second does not.
        first = stage * cells + min(stage, 1)
        for i in range(first, first + cells):
            x, previous = _cell("normal", x, previous, filters, str(i)), x
    return layers.Activation("relu")(x)


def _cell(kind, x, previous, filters, name):
    """One cell of figure 4 of the paper; the scopes are in the paths of weights."""
    with name_scope(f"{kind}_A_block_{name}"):
        with name_scope("adjust_block"):
            p = _adjusted(previous, x, filters, name)
        h = _conv(layers.Activation("relu")(x), filters, 1, f"{kind}_conv_1_{name}")
        h = _normalized(h, f"{kind}_bn_1_{name}")
        branches = (_normal if kind == "normal" else _reduction)(h, p, filters, name)
        return layers.Concatenate(axis=-1, name=f"{kind}_concat_{name}")(branches)


def _normal(h, p, filters, name):
    """Branches that keep height and width."""
    left = _separable(h, filters, 5, f"normal_left1_{name}", block=1)
    right = _separable(p, filters, 3, f"normal_right1_{name}", block=1)
    first = _sum(left, right, f"normal_add_1_{name}")
    left = _separable(p, filters, 5, f"normal_left2_{name}", block=2)
    right = _separable(p, filters, 3, f"normal_right2_{name}", block=2)
    second = _sum(left, right, f"normal_add_2_{name}")
    third = _sum(_mean(h, f"normal_left3_{name}"), p, f"normal_add_3_{name}")
    left, right = _mean(p, f"normal_left4_{name}"), _mean(p, f"normal_right4_{name}")
    fourth = _sum(left, right, f"normal_add_4_{name}")
    left = _separable(h, filters, 3, f"normal_left5_{name}", block=5)
    return [p, first, second, third, fourth, _sum(left, h, f"normal_add_5_{name}")]


def _reduction(h, p, filters, name):
    """Branches that halve height and width."""
    padding = padding_to_halve(h, 3)
    padded = layers.ZeroPadding2D(padding, name=f"reduction_pad_1_{name}")(h)
    left = _separable(h, filters, 5, f"reduction_left1_{name}", block=1, stride=2)
    right = _separable(p, filters, 7, f"reduction_right1_{name}", block=1, stride=2)
    first = _sum(left, right, f"reduction_add_1_{name}")
    left = layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded)
    right = _separable(p, filters, 7, f"reduction_right2_{name}", block=2, stride=2)
    second = _sum(left, right, f"reduction_add_2_{name}")
    left = layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded)
    right = _separable(p, filters, 5, f"reduction_right3_{name}", block=3, stride=2)
    third = _sum(left, right, f"reduction_add3_{name}")
    fourth = _sum(second, _mean(first, f"reduction_left4_{name}"), None)
    left = _separable(first, filters, 3, f"reduction_left4_{name}", block=5)
    right = layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded)
    return [second, third, fourth, _sum(left, right, f"reduction_add4_{name}")]


def _adjusted(previous, x, filters, name):
    """The output before x's, at the height and width of x and with `filters`."""
    if previous is None:
        return x
    if previous.shape[2] != x.shape[2]:
        with name_scope(f"adjust_reduction_block_{name}"):
            return _halved(previous, filters, name)
    if previous.shape[-1] == filters:
        return previous
    with name_scope(f"adjust_projection_block_{name}"):
        p = layers.Activation("relu")(previous)
        p = _conv(p, filters, 1, f"adjust_conv_projection_{name}")
        return _normalized(p, f"adjust_bn_{name}")


def _halved(x, filters, name):
    """Half of the filters see every second pixel, the others their neighbors."""
    x = layers.Activation("relu", name=f"adjust_relu_1_{name}")(x)
    even = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_1_{name}")(x)
    even = _conv(even, filters // 2, 1, f"adjust_conv_1_{name}")
    # The image one pixel up and to the left.
    odd = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    odd = layers.Cropping2D(((1, 0), (1, 0)))(odd)
    odd = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_2_{name}")(odd)
    odd = _conv(odd, filters // 2, 1, f"adjust_conv_2_{name}")
    return _normalized(layers.Concatenate(axis=-1)([even, odd]), f"adjust_bn_{name}")


def _separable(x, filters, kernel_size, name, block, stride=1):
    """Two times ReLU, separable convolution, normalization."""
    with name_scope(f"block_{block}"), name_scope(f"separable_conv_block_{name}"):
        x = layers.Activation("relu")(x)
        if stride == 2:
            padding = padding_to_halve(x, kernel_size)
            x = layers.ZeroPadding2D(padding, name=f"separable_conv_1_pad_{name}")(x)
        x = layers.SeparableConv2D(
            filters,
            kernel_size,
            strides=stride,
            padding="same" if stride == 1 else "valid",
            use_bias=False,
            name=f"separable_conv_1_{name}",
        )(x)
        x = _normalized(x, f"separable_conv_1_bn_{name}")
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(
            filters,
            kernel_size,
            padding="same",
            use_bias=False,
            name=f"separable_conv_2_{name}",
        )(x)
        return _normalized(x, f"separable_conv_2_bn_{name}")


def _sum(x, y, name):
    return layers.Add(name=name)([x, y])


def _mean(x, name):
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _conv(x, filters, kernel_size, name, strides=1, padding="same"):
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _normalized(x, name):
    return layers.BatchNormalization(axis=-1, momentum=0.9997, name=name)(x)


def _classify(x, options):
    """Mean over each channel, and a dense layer."""
    return predictions(layers.GlobalAveragePooling2D()(x), options)


NASNetLarge = variant(_nasnet, "NASNetLarge", "nasnet_large", kind="large")
NASNetMobile = variant(_nasnet, "NASNetMobile", "nasnet_mobile", kind="mobile")

"""The kernels of layers as pictures."""

import functools
import math

import numpy as np

from minikeras.core.checks import positive_int
from minikeras.layers.convolutional.base_conv_transpose import BaseConvTranspose
from minikeras.layers.convolutional.sliding_window import SlidingWindow
from minikeras.layers.core.dense import Dense
from minikeras.layers.layer import Layer
from minikeras.layers.reshaping.flatten import Flatten
from minikeras.visualization.drawing import as_pixels
from minikeras.visualization.figures import (
    colormap_of,
    coloured,
    finish,
    mosaic,
    new_figure,
)
from minikeras.visualization.layer_calls import check_built, find_layer

_CALLER = "plot_filters"
_TILE = 0.55  # inches of a filter
_MOST_CHANNELS = 16  # input channels of which slices are drawn


def plot_filters(
    model,
    layers=None,
    max_filters=64,
    image_shape=None,
    cmap="RdBu_r",
    path=None,
    dpi=None,
):
    """Draw the kernels of convolutions and of Dense layers.

    A filter of a convolution of one or three channels is an image. Of other
    convolutions the filters are rows, and the slices of their first 16 input channels
    stand side by side. The units of a Dense layer whose inputs are the pixels of an
    image are images, too; other kernels are one heat map. White is 0 and the darkest
    red and blue are the largest weight of the layer; images in three channels lie
    between the least and the largest weight. What is no finite number is
    magenta.

    Args:
        model: a built model, or a layer of one.
        layers: list of layers or of names, also of nested models; None: all
            convolutions, or without any all Dense layers.
        max_filters: int, filters that are drawn of a layer, the first ones.
        image_shape: (height, width) or (height, width, channels) of the image whose
            pixels a Dense layer gets; None: that before a `Flatten` in front of it.
        cmap: name of a colormap of matplotlib.
        path: file to write; None returns the figure.
        dpi: dots per inch of the file; None: 150.

    Returns:
        A figure of matplotlib; None with a path.

    Raises:
        ValueError: no weights yet, no layer with a kernel, or an `image_shape` of
            another number of pixels.
        ImportError: matplotlib is not installed.

    >>> layer = keras.layers.Conv2D(8, 3)
    >>> layer.build((None, 28, 28, 1))
    >>> len(keras.visualization.plot_filters(layer).axes)
    1
    """
    check_built(_CALLER, model)
    positive_int(max_filters, "max_filters")
    panels = [
        (f"{layer.name} ({type(layer).__name__})  {name} {_sizes(kernel)}",
         *_picture(layer, kernel, max_filters, image_shape, cmap))
        for layer in _chosen(model, layers)
        for name, kernel in [_kernel(layer)]
    ]  # fmt: skip
    heights = [height for _, _, (_, height) in panels]
    figure = new_figure(
        _CALLER,
        max(4.0, *(width for _, _, (width, _) in panels)),
        sum(heights) + 0.4 * len(panels),
        layout="constrained",
    )
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axis, (title, picture, (width, height)) in zip(axes[:, 0], panels, strict=True):
        rows, columns = picture.shape[:2]
        aspect = height / width / (rows / columns)
        axis.imshow(picture, interpolation="nearest", aspect=aspect)
        axis.set_anchor("W")
        axis.set_axis_off()
        axis.set_title(title, fontsize=8, loc="left", parse_math=False)
    return finish(figure, path, dpi)


def _sizes(kernel):
    return "×".join(map(str, kernel.shape))


def _chosen(model, layers):
    """The layers to draw."""
    within = model._mk_flatten_layers()
    if layers is None:
        for kind in (SlidingWindow, Dense):
            found = [x for x in within if isinstance(x, kind) and x.built]
            if found:
                return found
        raise ValueError(
            f"{_CALLER}: {model.name!r} has no convolution and no Dense layer. It has "
            f"{[x.name for x in within]}."
        )
    layers = [layers] if isinstance(layers, (str, Layer)) else layers
    if not layers:
        raise ValueError(f"{_CALLER}: `layers` names no layer.")
    chosen = [find_layer(_CALLER, model, layer) for layer in layers]
    for layer in chosen:
        if not isinstance(layer, (SlidingWindow, Dense)) or not layer.built:
            raise ValueError(
                f"{_CALLER}: expected convolutions and Dense layers with weights, got "
                f"{layer.name!r} ({type(layer).__name__})."
            )
    return chosen


def _kernel(layer):
    """(name, array) of a kernel, the filters on the last axis."""
    name = "depthwise_kernel" if hasattr(layer, "depthwise_kernel") else "kernel"
    kernel = np.asarray(getattr(layer, name), "float32")
    # A transposed convolution keeps its filters before the input channels.
    is_transposed = isinstance(layer, BaseConvTranspose)
    return name, kernel.swapaxes(-1, -2) if is_transposed else kernel


def _picture(layer, kernel, max_filters, image_shape, cmap):
    """(picture in bytes, (width, height) in inches) of a kernel."""
    colormap = colormap_of(_CALLER, cmap)
    finite = np.abs(kernel[np.isfinite(kernel)])
    most = float(finite.max()) if finite.size else 1.0
    colour = functools.partial(coloured, colormap=colormap, low=-most, high=most)
    if isinstance(layer, Dense):
        shape = _image_before(layer, kernel, image_shape)
        if shape is None:
            rows, columns = kernel.shape
            # A row is a unit, so that many inputs take the width.
            size = float(np.clip(columns * 0.12, 0.6, 6.0))
            return colour(kernel.T), (float(np.clip(rows * 0.12, 3.0, 9.0)), size)
        kernel = kernel.reshape(*shape, -1)
    while kernel.ndim > 4:  # of a volume the middle slice
        kernel = kernel[len(kernel) // 2]
    kernel = kernel[..., :max_filters]
    if kernel.ndim == 3:  # (steps, channels, filters)
        kernel = kernel[:, :, None]
    height, width, channels, filters = kernel.shape
    tiles, cols = kernel.transpose(3, 0, 1, 2), 16
    if channels == 3:
        low, high = np.nanmin(kernel), np.nanmax(kernel)
        tiles = np.stack([as_pixels(tile, (low, high)) for tile in tiles])
    elif channels == 1:
        tiles = colour(tiles[..., 0])
    else:
        cols = min(channels, _MOST_CHANNELS)
        tiles = tiles[..., :cols].transpose(0, 3, 1, 2)
        tiles = colour(tiles.reshape(-1, height, width))
    cols = min(cols, len(tiles))
    rows = math.ceil(len(tiles) / cols)
    # Lines of one pixel would be as wide as half a filter of 3 pixels.
    scale = max(1, 24 // max(height, width))
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    picture = mosaic(tiles, cols, gap=max(3, max(tiles.shape[1:3]) // 8))
    side = _TILE * (1.6 if max(height, width) > 12 else 1.0) / max(height, width)
    # Of a filter of one row a bar is left that can be seen.
    return picture, (
        cols * side * max(width, 0.3 * height),
        rows * side * max(height, 0.3 * width),
    )


def _image_before(layer, kernel, image_shape):
    """(height, width, channels) of the pixels that a Dense layer gets, or None."""
    pixels = len(kernel)
    if image_shape is not None:
        shape = (*image_shape, 1)[:3]
        if len(shape) != 3 or math.prod(shape) != pixels:
            raise ValueError(
                f"{_CALLER}: {layer.name!r} has {pixels} inputs, which are not the "
                f"pixels of image_shape={image_shape!r}."
            )
        return shape
    try:
        before = layer.input._keras_history[0]
        shape = tuple(before.input.shape[1:])
    except AttributeError:  # it was never called on a KerasTensor
        return None
    fits = isinstance(before, Flatten) and len(shape) in (2, 3)
    shape = (*shape, 1)[:3]
    if not fits or None in shape or math.prod(shape) != pixels:
        return None
    return shape if shape[2] in (1, 3) else None

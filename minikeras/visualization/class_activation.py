"""Grad-CAM: which places of an image speak for a class."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.activations import sigmoid, softmax
from minikeras.layers.activations.softmax import Softmax
from minikeras.layers.convolutional.sliding_window import SlidingWindow
from minikeras.visualization.drawing import as_pixels, channels_last
from minikeras.visualization.figures import class_name, finish, gallery
from minikeras.visualization.layer_calls import (
    as_batch,
    check_built,
    find_layer,
    recorded,
    run,
)


def class_activation_map(features, gradients):
    """relu(sum_k w_k A_k) with w_k the mean of the gradient of channel k over places.

    Args:
        features: A, (batch, …, channels).
        gradients: d score / d A, of the same shape.

    Returns:
        (batch, …) array.

    >>> import numpy as np
    >>> features = np.array([[[1.0, 2.0], [3.0, 0.0]]])
    >>> class_activation_map(features, np.array([[[1.0, -1.0], [1.0, -3.0]]])).tolist()
    [[0.0, 3.0]]
    """
    places = tuple(range(1, features.ndim - 1))
    weights = gradients.mean(places, keepdims=True)
    return np.maximum((weights * features).sum(-1), 0.0)


def grad_cam(model, x, class_index=None, layer=None, normalize=True):
    """Heat maps of the places that speak for a class.

    relu(sum_k w_k A_k), where A_k is a channel of a layer's outputs, and w_k the mean
    over its places of the gradient of the class's score with respect to it. The score
    is what the last layer gives before its softmax or sigmoid.

    Args:
        model: a built model with one output, (batch, classes): Functional, Sequential,
            subclassed, or with models in it.
        x: a batch of inputs, as the model takes them.
        class_index: int, or (batch,) ints, the classes that are explained; None: of
            each sample the one that the model predicts. An output of one unit is the
            score itself.
        layer: layer, or name of one, whose outputs have places and channels; layers of
            nested models, too. None: the last convolution that is called, of
            those with more than one place.
        normalize: bool, whether each map is divided by its largest value.

    Returns:
        float32 array of NumPy, (batch, …) with the places of the layer: for images
        (batch, height, width), smaller than the image where the network strides. In
        0..1 with `normalize`; 0 where no place speaks for the class.

    Raises:
        TypeError: `model` is no model.
        ValueError: the model is not built, has no convolution, has several outputs or
            an output of another shape; no such class or layer; the layer's outputs
            have no places, or the class's score does not depend on them.

    Source: Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391.

    >>> layers = [keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()]
    >>> model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    >>> keras.visualization.grad_cam(model, np.ones((3, 6, 6, 1))).shape
    (3, 4, 4)
    """
    check_built("grad_cam", model)
    x = as_batch("grad_cam", x)
    outputs, calls = recorded(model, x)
    _check_outputs(outputs)
    call = _features_of(model, calls, layer)
    classes = _classes(outputs, class_index)
    last = next((c for c in reversed(calls) if _is_head(c, outputs)), None)
    gradients = _gradients(model, x, call, last, classes)
    if np.isfinite(gradients).all() and not gradients.any():
        _check_dependence(model, x, call, outputs)
    features = np.asarray(call.outputs, "float32")
    axis = _channels(call)
    features, gradients = (np.moveaxis(a, axis, -1) for a in (features, gradients))
    maps = class_activation_map(features, gradients)
    if normalize:
        largest = maps.max(tuple(range(1, maps.ndim)), keepdims=True)
        maps = np.divide(maps, largest, out=np.zeros_like(maps), where=largest != 0)
    return maps


def _check_outputs(outputs):
    """Raise an error unless the outputs are (batch, classes)."""
    shapes = [leaf.shape for leaf in jax.tree_util.tree_leaves(outputs)]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            "grad_cam: expected a model with one output (batch, classes), got outputs "
            f"of the shapes {shapes}. Make a model of the output to explain: "
            "keras.Model(model.inputs, output)."
        )


def _features_of(model, calls, layer):
    """The last call of a layer, or of any convolution."""
    if layer is not None:
        layer = find_layer("grad_cam", model, layer)
        found = [c for c in calls if c.layer is layer]
    else:
        found = [c for c in calls if isinstance(c.layer, SlidingWindow)]
        # Some networks end in a convolution of one place, which classifies.
        found = [c for c in found if c.outputs[0].size > c.outputs.shape[_channels(c)]]
    if not found and layer is None:
        names = [c.layer.name for c in calls]
        raise ValueError(
            f"grad_cam: the model {model.name!r} calls no convolution with several "
            f"places, only {names}. Pass `layer=`: one whose outputs have places and "
            "channels."
        )
    if not found:
        raise ValueError(
            f"grad_cam: the model does not call the layer {layer.name!r}, or calls it "
            "within a compiled loop. Choose another one."
        )
    call = found[-1]
    if getattr(call.outputs, "ndim", 0) < 3:
        shape = getattr(call.outputs, "shape", type(call.outputs).__name__)
        raise ValueError(
            f"grad_cam: the outputs of the layer {call.layer.name!r} have the shape "
            f"{shape}, without places. Choose one with (batch, height, width, "
            "channels)."
        )
    return call


def _classes(outputs, class_index):
    """The (batch,) numbers of the classes to explain."""
    batch, count = outputs.shape
    if class_index is None:
        return np.asarray(outputs).argmax(-1)
    classes = np.asarray(class_index)
    if classes.dtype.kind not in "iu" or classes.shape not in ((), (batch,)):
        raise ValueError(
            f"grad_cam: expected `class_index` to be an int or {batch} ints, got "
            f"{class_index!r}."
        )
    if (classes < -count).any() or (classes >= count).any():
        raise ValueError(
            f"grad_cam: the model has {count} classes, 0..{count - 1}, got "
            f"class_index={class_index!r}."
        )
    return np.broadcast_to(classes, (batch,))


def _is_head(call, outputs):
    """Is it the innermost layer that gives the outputs, by a softmax or sigmoid?"""
    activation = getattr(call.layer, "activation", None)
    gives = isinstance(call.layer, Softmax) or activation in (softmax, sigmoid)
    return gives and call.outputs is outputs


def _without_activation(layer, call, args, kwargs):
    """What a layer gives before its softmax or sigmoid."""
    if isinstance(layer, Softmax):
        return args[0]
    # Another object with the same weights: the layer itself may be in use elsewhere.
    bare = object.__new__(type(layer))
    vars(bare).update(vars(layer), activation=lambda x: x)
    return bare.call(*args, **kwargs)


def _gradients(model, x, target, last, classes):
    """d score / d features, as a NumPy array."""

    def score(change):
        counts = {}

        def watch(layer, call, *args, **kwargs):
            number = counts[id(layer)] = counts.get(id(layer), -1) + 1
            for wanted, do in ((target, None), (last, _without_activation)):
                if wanted is None or layer is not wanted.layer:
                    continue
                if number != wanted.number:
                    continue
                out = do(layer, call, args, kwargs) if do else call(*args, **kwargs)
                return out if do else out + change.astype(out.dtype)
            return call(*args, **kwargs)

        scores = run(model, x, watch)
        return scores[jnp.arange(len(classes)), classes].astype("float32").sum()

    change = jnp.zeros(target.outputs.shape, "float32")
    return np.asarray(jax.grad(score)(change))


def _check_dependence(model, x, target, outputs):
    """Raise an error if the outputs are the same whatever the features are."""

    def with_features(value):
        def watch(layer, call, *args, **kwargs):
            out = call(*args, **kwargs)
            return out * 0 + value if layer is target.layer else out

        return np.asarray(run(model, x, watch))

    if all(np.array_equal(with_features(v), np.asarray(outputs)) for v in (1, -1)):
        raise ValueError(
            f"grad_cam: the outputs of the model do not depend on the layer "
            f"{target.layer.name!r}. Choose another one."
        )


def _channels(call):
    """The axis of the channels in the outputs of a call."""
    chosen = getattr(call.layer, "data_format", None) or settings.image_data_format()
    return 1 if chosen == "channels_first" else -1


def resized(maps, height, width):
    """Heat maps (batch, h, w) with another size, bilinear between middles of pixels."""
    shape = (len(maps), height, width)
    return np.asarray(jax.image.resize(maps, shape, "bilinear", antialias=False))


def plot_grad_cam(
    model,
    x,
    class_index=None,
    layer=None,
    images=None,
    class_names=None,
    alpha=0.5,
    cmap="jet",
    cols=None,
    data_format=None,
    path=None,
    dpi=None,
):
    """Draw the heat maps of `grad_cam` over images.

    Args:
        model: as of `grad_cam`.
        x: a batch of images, as the model takes them.
        class_index: as of `grad_cam`.
        layer: as of `grad_cam`.
        images: (batch, height, width, channels) array to draw beneath, in 0..255 or
            0..1; None: `x`, whose least and largest values are black and white unless
            they are such.
        class_names: names of the classes, list or dict; None: their numbers.
        alpha: float in [0, 1], share of the heat's colour where it is 1.
        cmap: name of a colormap of matplotlib.
        cols: int, images in a row; None: as many as make a square.
        data_format: "channels_last" or "channels_first" of the images; None: the
            setting.
        path: file to write; None returns the figure.
        dpi: dots per inch of the file; None: 150.

    Returns:
        A figure of matplotlib; None with a path.

    Raises:
        ValueError: as `grad_cam`, or the images are not of rank 4.
        ImportError: matplotlib is not installed.
    """
    maps = grad_cam(model, x, class_index, layer)
    if maps.ndim != 3:
        raise ValueError(
            f"plot_grad_cam: it draws images, got heat maps of the shape {maps.shape}. "
            "`grad_cam` gives them as an array."
        )
    pixels, _ = channels_last(x if images is None else images, data_format)
    if len(pixels) != len(maps):
        raise ValueError(
            f"plot_grad_cam: expected {len(maps)} images, got {len(pixels)}."
        )
    pixels = np.stack([as_pixels(image) for image in pixels])
    heat = resized(maps, *pixels.shape[1:3])
    outputs = np.asarray(run(model, as_batch("plot_grad_cam", x)), "float32")
    classes = _classes(outputs, class_index)
    titles = [
        f"{class_name(number, class_names)}: {row[number]:.3g}"
        for row, number in zip(outputs, classes, strict=True)
    ]
    figure, axes = gallery("plot_grad_cam", len(pixels), cols, titles)
    for axis, image, hot in zip(axes, pixels, heat, strict=False):
        axis.imshow(image, interpolation="nearest")
        share = (
            np.clip(np.nan_to_num(hot), 0, 1) * alpha
        )  # the image shows where nothing is hot
        axis.imshow(hot, cmap=cmap, alpha=share, vmin=0, vmax=1)
    return finish(figure, path, dpi)

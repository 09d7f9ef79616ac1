"""What all families of networks share: arguments, images, the top, weights."""

import contextvars
import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeGuard

from minikeras import activations, config, layers
from minikeras.applications import weights as weight_files
from minikeras.core.checks import is_int, positive_int
from minikeras.core.deferral import Deferral
from minikeras.models import Model
from minikeras.models.visualization import get_source_inputs

IMAGENET_CLASSES = 1000
_POOLINGS = {
    "avg": layers.GlobalAveragePooling2D,
    "max": layers.GlobalMaxPooling2D,
}


# The documentation that all networks share.
_ARGUMENTS = """\
        include_top: bool, whether the network ends in the layer of its classes.
        weights: None for random ones, "imagenet" for those trained on ImageNet (fetched
            into the cache of Keras), the path of a file in any format that
            `load_weights` reads, or "hf://owner/repository[/file]" of the Hugging Face
            Hub (needs `huggingface_hub`).
        input_tensor: KerasTensor of images that the network goes on from; None: a new
            input.
        input_shape: (height, width, channels), or (channels, height, width) where that
            is the setting; None: the size that it was trained with, or without top any
            size.
        pooling: output of a network without top: None for the last features, "avg" or
            "max" for their mean or maximum over height and width, (batch, channels).
        classes: int, number of classes of the top; 1000 for the ImageNet weights.
        classifier_activation: activation of the top; None for logits.
        name: name of the model.

    Returns:
        A `keras.Model`. Its layers, their names and their order are Keras's.

    Raises:
        ValueError: arguments that do not go together.
        ConnectionError: the ImageNet weights are not in the cache and cannot be
            fetched; the error says where to put which file.
        FileError: the file of the weights does not fit; it names the layers.
"""


class Options(NamedTuple):
    """The arguments that all networks take; `name` is that of the model."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any
    name: str


def build_network(
    options: Options,
    body: Callable[[Any], Any],
    top: Callable[[Any, Options], Any] | None = None,
    pool: Callable[[Any, Options], Any] | None = None,
    *,
    size: int | None,
    min_size: int = 32,
    file: str,
    cached_as: str | None = None,
    has_list_of_inputs: bool = True,
) -> Model:
    """Build one network, and give it its weights.

    Args:
        options: the arguments of its constructor.
        body: function from the images to the last features.
        top: function from the features to the predictions; None: `classify`.
        pool: function from the features to the output of a network without top; None:
            `pool_features`.
        size: height and width of images, in pixels, if the user gives none; None: the
            network takes images of any size, also with its top.
        min_size: least height and width.
        file: of the ImageNet weights, a path within Keras's folder of them.
        cached_as: its name in the cache, if that is another.
        has_list_of_inputs: is the input of a model that goes on from `input_tensor` a
            list of one, as most of Keras's are, or that one? Its config shows it.

    Returns:
        The model.

    Raises:
        ValueError: an argument does not fit.
    """
    check_options(options)
    shape = image_shape(options, size, min_size)
    finish = (top or classify) if options.include_top else (pool or pool_features)

    def build():
        with Deferral():
            image = image_input(options, shape)
            return image, finish(body(image), options)

    # In a context of its own: Ctrl-C may come when the scope ends, and leave it open.
    image, x = contextvars.copy_context().run(build)
    inputs = image
    if options.input_tensor is not None:
        inputs = get_source_inputs(options.input_tensor)
        if not has_list_of_inputs and len(inputs) == 1:
            inputs = inputs[0]
    model = Model(inputs, x, name=options.name)
    weight_files.load(model, options.weights, file, cached_as)
    return model


def check_options(options: Options) -> None:
    """ValueError if weights, top and classes do not go together."""
    name, weights = options.name, options.weights
    weight_files.check(name, weights)
    if not options.include_top:
        if options.pooling and options.pooling not in _POOLINGS:
            raise ValueError(
                f'{name}: expected pooling to be None, "avg" or "max", got '
                f"{options.pooling!r}."
            )
        return
    positive_int(options.classes, "classes")
    if weights is None:
        return
    if weights == weight_files.IMAGENET and options.classes != IMAGENET_CLASSES:
        raise ValueError(
            f"{name}: the top of the ImageNet weights has {IMAGENET_CLASSES} classes, "
            f"got classes={options.classes}. Pass include_top=False and add a top of "
            "your own, or weights=None."
        )
    allowed = (activations.softmax, activations.linear)
    if activations.get(options.classifier_activation) not in allowed:
        raise ValueError(
            f'{name}: with weights, classifier_activation must be "softmax" or None, '
            f"got {options.classifier_activation!r}."
        )


def image_shape(options: Options, size: int | None, min_size: int) -> tuple:
    """The shape of one image: the user's, checked, or the default one.

    Args:
        options: the arguments of the constructor.
        size: height and width in pixels of the default one; None: any.
        min_size: least height and width.

    Returns:
        Tuple of three sizes in the order of `image_data_format()`; height and width of
        a network without top may be None.
    """
    name, shape, weights = options.name, options.input_shape, options.weights
    is_imagenet = weights == weight_files.IMAGENET
    if shape is None:
        sides = size if options.include_top else None
        return ordered(sides, sides, 3)

    def refuse(problem):
        raise ValueError(f"{name}: {problem}, got input_shape={shape!r}.")

    if not is_shape(shape) or not all(x is None or is_int(x) and x > 0 for x in shape):
        refuse("input_shape must be a tuple of three integers, height, width, channels")
    shape = tuple(shape)
    *sides, channels = sizes(shape)
    if is_imagenet and channels != 3:
        refuse("the ImageNet weights are for 3 channels (others need weights=None)")
    if channels not in (1, 3):
        warnings.warn(
            f"{name} usually expects 1 or 3 channels; input_shape={shape} has "
            f"{channels}.",
            stacklevel=4,
        )
    if any(side is not None and side < min_size for side in sides):
        refuse(f"images must have at least {min_size} x {min_size} pixels")
    if size is None:
        return shape
    if options.include_top and is_imagenet and sides != [size, size]:
        refuse(
            f"with its top and the ImageNet weights it takes {size} x {size} pixels "
            "(include_top=False takes others)"
        )
    if options.include_top and None in sides:
        refuse("with its top it must know height and width (include_top=False)")
    return shape


def image_input(options: Options, shape: tuple) -> Any:
    """The KerasTensor of the images: a new input, or the user's tensor."""
    if options.input_tensor is None:
        return layers.Input(shape)
    if not hasattr(options.input_tensor, "_keras_history"):
        raise ValueError(
            f"{options.name}: input_tensor must be a KerasTensor, such as "
            f"`keras.Input(...)`, got {type(options.input_tensor).__name__}."
        )
    return options.input_tensor


def classify(x: Any, options: Options) -> Any:
    """The commonest top: the mean over each channel, and a dense layer."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return predictions(x, options)


def predictions(x: Any, options: Options, **kwargs: Any) -> Any:
    """The dense layer of the classes."""
    activation = options.classifier_activation
    return layers.Dense(
        options.classes, activation=activation, name="predictions", **kwargs
    )(x)


def pool_features(x: Any, options: Options) -> Any:
    """The end of a network without top: a layer that has no name of its own."""
    return _POOLINGS[options.pooling]()(x) if options.pooling else x


def pool_features_by_name(x: Any, options: Options) -> Any:
    """The same with the layer named "avg_pool" or "max_pool"."""
    if not options.pooling:
        return x
    return _POOLINGS[options.pooling](name=f"{options.pooling}_pool")(x)


def common_weights_file(folder: str, network: str, include_top: bool) -> str:
    """Path of the ImageNet weights of the families that name them alike."""
    top = "" if include_top else "_notop"
    return f"{folder}/{network}_weights_tf_dim_ordering_tf_kernels{top}.h5"


def is_channels_first() -> bool:
    """Does the setting say (channels, height, width)?"""
    return config.image_data_format() == "channels_first"


def check_channels_last(name: str) -> None:
    """ValueError unless the setting says (height, width, channels)."""
    if is_channels_first():
        raise ValueError(
            f'{name}: expected image_data_format() to be "channels_last", got '
            '"channels_first". Call `keras.config.set_image_data_format'
            '("channels_last")` before.'
        )


def channel_axis() -> int:
    """Axis of the channels of a batch: 1 or 3."""
    return 1 if is_channels_first() else 3


def is_shape(x: Any) -> TypeGuard[tuple]:
    """Has it three sizes? What they are is checked by `image_shape`."""
    return isinstance(x, (tuple, list)) and len(x) == 3


def ordered(height: Any, width: Any, channels: Any) -> tuple:
    """A shape in the order of the setting."""
    if is_channels_first():
        return channels, height, width
    return height, width, channels


def sizes(shape: tuple) -> tuple:
    """(height, width, channels) of a shape in the order of the setting."""
    return (*shape[1:], shape[0]) if is_channels_first() else shape


def channels_of(x: Any) -> int:
    """Number of channels of a batch of images or features."""
    return x.shape[channel_axis()]


def padding_to_halve(x: Any, kernel_size: int) -> tuple:
    """Zeros around x with which a stride of 2 begins as at padding="same".

    Args:
        x: batch of images or features.
        kernel_size: height and width of the window, odd.

    Returns:
        ((top, bottom), (left, right)).
    """
    half = kernel_size // 2
    # At a stride of 2, "same" pads an even side by one row less at its start. An
    # unknown side counts as even, as in Keras.
    starts = (
        half - (1 if side is None else 1 - side % 2)
        for side in sizes(tuple(x.shape[1:]))[:2]
    )
    return tuple((start, half) for start in starts)


def multiple_of_8(filters: float, minimum_share: float = 0.9) -> int:
    """The nearest multiple of 8, at least 8; one more if below a share of `filters`.

    >>> [multiple_of_8(filters) for filters in (3, 11, 12.5, 24)]
    [8, 16, 16, 24]
    """
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < minimum_share * filters else nearest


def variant(
    build: Callable[..., Model],
    public_name: str,
    name: str | None,
    **architecture: Any,
) -> Callable[..., Model]:
    """One network of a family, as a function without the family's own parameters.

    Args:
        build: function of the family; `architecture` are its keyword-only parameters.
        public_name: name of the function.
        name: default name of the model; None: `build` makes one.
        **architecture: what makes this network.

    Returns:
        The function. Its documentation is that of `build`, with `{network}` and
        `{arguments}` filled in.
    """
    parameters = [
        p.replace(default=name) if p.name == "name" else p
        for p in inspect.signature(build).parameters.values()
        if p.kind is not p.KEYWORD_ONLY
    ]
    signature = inspect.Signature(parameters)

    @functools.wraps(build)
    def network(*args, **kwargs):
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{public_name}: {error}") from None
        bound.apply_defaults()
        return build(**bound.arguments, **architecture)

    network.__name__ = network.__qualname__ = public_name
    doc = (build.__doc__ or "").replace("{network}", public_name)
    # Families with arguments of their own begin the list.
    header = "" if "    Args:\n" in doc else "    Args:\n"
    network.__doc__ = doc.replace("    {arguments}\n", header + _ARGUMENTS)
    network.__signature__ = signature  # pyright: ignore
    return network

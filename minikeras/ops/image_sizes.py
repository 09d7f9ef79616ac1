"""Images cropped, padded and scaled."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.arguments import check_choice
from minikeras.ops.convert import as_array, saturate_cast
from minikeras.ops.image_layout import check_rank, image_op
from minikeras.ops.keras_modules import IMAGE
from minikeras.settings import standardize_data_format

__all__ = [
    "crop_images", "pad_images", "resize", "scale_and_translate",
]  # fmt: skip

_INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


def linearly_longer(x, axis, times):
    """Linear interpolation to an axis that is `times` as long.

    Places are measured between the centres of entries; beyond the border the last entry
    is repeated, as in `jax.image.resize`.
    """
    # The places between two neighbours are the same everywhere: result number `phase`
    # of each entry is one weighted sum of two slices of the whole axis.
    size = x.shape[axis]
    first, last = (lax.slice_in_dim(x, i, i + 1, axis=axis) for i in (0, size - 1))
    padded = jnp.concatenate([first, x, last], axis)
    parts = []
    for phase in range(times):
        position = (phase + 0.5) / times + 0.5  # in entries of `padded`
        start, share = int(position), position - int(position)
        before, after = (
            lax.slice_in_dim(padded, i, i + size, axis=axis) for i in (start, start + 1)
        )
        parts.append(before * (1 - share) + after * share)
    return jnp.stack(parts, axis + 1).reshape(
        *x.shape[:axis], size * times, *x.shape[axis + 1 :]
    )


# Each repetition is a slice of its own in the program, for XLA to compile.
_MOST_TIMES = 64


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _bilinear(x, shape):
    """Bilinear interpolation of images to sizes that are multiples of theirs."""
    for axis, (new, old) in enumerate(zip(shape, x.shape, strict=True)):
        if new != old:
            x = linearly_longer(x, axis, new // old)
    return x


@_bilinear.defjvp
def _bilinear_jvp(shape, primals, tangents):
    """The derivative by JAX's matrix products."""
    # The gradient is its transpose: 46 ms for products, 75 to 100 for slices.
    (x,), (dx,) = primals, tangents
    return _bilinear(x, shape), jax.image.resize(dx, shape, "bilinear", antialias=False)


def _is_multiple(new, old):
    # A symbolic size of `jax.export` is no int; only an unchanged one is then allowed.
    known = isinstance(old, int) and 0 < old <= new <= _MOST_TIMES * old
    return known and new % old == 0


def resized(x, shape, interpolation, antialias=False):
    """`jax.image.resize`, with sums of slices for bilinear scaling by whole numbers."""
    # JAX multiplies each axis by a matrix that is almost all zeros: on two cores 45 ms
    # for 32x28x28x64 to twice its sizes, by slices 5.
    shape = tuple(shape)
    whole = all(
        new is old or _is_multiple(new, old)
        for new, old in zip(shape, x.shape, strict=True)
    )
    if interpolation == "bilinear" and x.dtype == jnp.float32 and whole:
        return _bilinear(x, shape)
    return jax.image.resize(x, shape, interpolation, antialias=antialias)


@image_op
def resize(
    images,
    size,
    interpolation="bilinear",
    antialias=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    fill_mode="constant",
    fill_value=0.0,
    data_format=None,
):
    """Images scaled to another size.

    Args:
        images: (h, w, c) or (n, h, w, c) array, or channels first.
        size: pair of ints, height and width.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: blur before an image shrinks.
        crop_to_aspect_ratio: cut off borders first, so that nothing is distorted.
        pad_to_aspect_ratio: add borders of `fill_value` first instead.
        fill_mode: must be "constant".
        fill_value: number.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the dtype of `images`; integers are rounded.

    Raises:
        ValueError: a size that is not positive, an unknown interpolation or mode, or
            both aspect ratio arguments.

    >>> resize([[[0.0], [4.0]]], (1, 4)).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    if len(size) != 2:
        raise ValueError(f"resize: expected size to be height and width, got {size}.")
    size = height, width = tuple(int(n) for n in size)
    if height < 1 or width < 1:
        raise ValueError(f"`size` must have positive height and width, got {size}.")
    check_choice("resize", "interpolation", interpolation, _INTERPOLATIONS)
    check_choice("resize", "fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(
            "resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be "
            "True."
        )
    x, (n, h, w, c) = images, images.shape
    # `fit_h` with the width w has the new aspect ratio, and `fit_w` with the height h.
    # Keras rounds both down.
    fit_h, fit_w = max(w * height // width, 1), max(h * width // height, 1)
    if crop_to_aspect_ratio:
        crop_h, crop_w = min(h, fit_h), min(w, fit_w)
        top, left = (h - crop_h) // 2, (w - crop_w) // 2
        x = x[:, top : top + crop_h, left : left + crop_w]
    elif pad_to_aspect_ratio:
        top, left = max(fit_h - h, 0) // 2, max(fit_w - w, 0) // 2
        x = x.astype(jnp.result_type(x.dtype, fill_value))
        edges = ((0, 0), (top, top), (left, left), (0, 0))
        x = jnp.pad(x, edges, constant_values=fill_value)
    x = resized(x, (n, *size, c), interpolation, antialias)
    if x.dtype == images.dtype:
        return x
    # Padding with a float made floats of integers; Keras rounds before it casts.
    x = jnp.round(x) if jnp.issubdtype(images.dtype, jnp.integer) else x
    return saturate_cast(x, images.dtype)


_METHODS = "linear bilinear trilinear cubic bicubic tricubic lanczos3 lanczos5".split()


@op(tensors=("images", "output_shape", "scale", "translation"), module=IMAGE)
def scale_and_translate(
    images, output_shape, scale, translation, spatial_dims, method, antialias=True
):
    """Images scaled and moved: the entry at p goes to scale · p + translation.

    Args:
        images: array of any rank.
        output_shape: tuple of ints, the shape of the result; None keeps a size.
        scale: array of a float for each axis in `spatial_dims`.
        translation: array of a float for each axis in `spatial_dims`, in entries.
        spatial_dims: tuple of ints, the axes that change.
        method: "linear", "cubic", "lanczos3" or "lanczos5".
        antialias: blur before an array shrinks.

    Returns:
        Array of `output_shape`.

    Raises:
        ValueError: an unknown method, or sizes that do not fit.

    >>> scale_and_translate([1.0, 3.0], (4,), [2.0], [0.0], (0,), "linear").tolist()
    [1.0, 1.5, 2.5, 3.0]
    """
    check_choice("scale_and_translate", "method", method, _METHODS)
    images, scale, translation = map(as_array, (images, scale, translation))
    if len(output_shape) != images.ndim:
        raise ValueError(
            f"scale_and_translate: expected output_shape to have {images.ndim} sizes, "
            f"got {output_shape}."
        )
    pairs = zip(output_shape, images.shape, strict=True)
    shape = [old if new is None else new for new, old in pairs]
    dims = tuple(spatial_dims)
    return jax.image.scale_and_translate(
        images, shape, dims, scale, translation, method, antialias
    )


def _edges(function, names, values, size, sign):
    """All of (before, after, new size) from two of them, checked.

    new size = size + sign · (before + after). For a size of None, the values are
    returned as they are.
    """

    def check(values):
        for name, value in zip(names, values, strict=True):
            if value is not None and value < 0:
                raise ValueError(
                    f"{function}: {name} must be >= 0, got {name}={value} for images "
                    f"of size {size}."
                )
        return values

    before, after, target = check(values)
    if values.count(None) != 1:
        raise ValueError(
            f"{function}: Must specify exactly two of {', '.join(names)}, got {values}."
        )
    if size is None:
        return values
    if target is None:
        target = size + sign * (before + after)
    total = sign * (target - size)
    before = total - after if before is None else before
    after = total - before if after is None else after
    return check([before, after, target])


def _pad_or_crop(function, images, what, settings, sign):
    """Images with rows and columns added (sign 1) or cut off (sign -1).

    For a KerasTensor, the KerasTensor of the result.
    """
    # Graphs call it too: a trace would compare the number that it takes for None with
    # the target size.
    symbolic = isinstance(images, KerasTensor)
    images = images if symbolic else as_array(images)
    check_rank(images)
    first = standardize_data_format(settings["data_format"]) == "channels_first"
    shape: list[Any] = list(images.shape)
    pads: list[Any] = [(0, 0, 0)] * len(shape)
    start = len(shape) - (2 if first else 3)
    sides = (("top", "bottom", "height"), ("left", "right", "width"))
    for axis, (before, after, size) in enumerate(sides, start):
        names = (f"{before}_{what}", f"{after}_{what}", f"target_{size}")
        values = [settings[name] for name in names]
        low, high, target = _edges(function, names, values, shape[axis], sign)
        if target is None and sign < 0:
            raise ValueError(
                f"{function}: When the {size} of the images is unknown, target_{size} "
                "must be given."
            )
        shape[axis] = target
        if not symbolic:
            pads[axis] = (sign * low, sign * high, 0)
    if symbolic:
        return KerasTensor(shape, images.dtype)
    return lax.pad(images, jnp.zeros((), images.dtype), pads)


def _pad_spec(trace, images, **settings):
    return _pad_or_crop("pad_images", images, "padding", settings, 1)


def _crop_spec(trace, images, **settings):
    return _pad_or_crop("crop_images", images, "cropping", settings, -1)


@op(tensors=("images",), module=IMAGE, spec=_pad_spec)
def pad_images(
    images,
    top_padding=None,
    left_padding=None,
    bottom_padding=None,
    right_padding=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """Rows and columns of zeros added to images.

    Of the three numbers of each axis exactly two are given.

    Args:
        images: (h, w, c) or (n, h, w, c) array, or channels first.
        top_padding: int >= 0, rows added above, or None.
        left_padding: int >= 0, columns added on the left, or None.
        bottom_padding: int >= 0, rows added below, or None.
        right_padding: int >= 0, columns added on the right, or None.
        target_height: int, the new height, or None.
        target_width: int, the new width, or None.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the dtype of `images`.

    Raises:
        ValueError: other than two numbers for an axis, or a negative one.

    >>> pad_images([[[7]]], 0, 1, 0, target_width=2).tolist()
    [[[0], [7]]]
    """
    return _pad_or_crop("pad_images", images, "padding", locals(), 1)


@op(tensors=("images",), module=IMAGE, spec=_crop_spec)
def crop_images(
    images,
    top_cropping=None,
    left_cropping=None,
    bottom_cropping=None,
    right_cropping=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """Rows and columns cut off from images.

    Of the three numbers of each axis exactly two are given.

    Args:
        images: (h, w, c) or (n, h, w, c) array, or channels first.
        top_cropping: int >= 0, rows cut off above, or None.
        left_cropping: int >= 0, columns cut off on the left, or None.
        bottom_cropping: int >= 0, rows cut off below, or None.
        right_cropping: int >= 0, columns cut off on the right, or None.
        target_height: int, the new height, or None.
        target_width: int, the new width, or None.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the dtype of `images`.

    Raises:
        ValueError: other than two numbers for an axis, or a negative one.

    >>> crop_images([[[1], [2], [3]]], 0, 1, 0, target_width=1).tolist()
    [[[2]]]
    """
    return _pad_or_crop("crop_images", images, "cropping", locals(), -1)

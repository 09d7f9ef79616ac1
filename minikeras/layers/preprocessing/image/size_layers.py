"""Images of one size: Resizing, CenterCrop and RandomCrop."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras import random
from minikeras.core.bridge import current
from minikeras.core.checks import positive_int
from minikeras.layers.preprocessing.image.arguments import image_axes
from minikeras.layers.preprocessing.image.geometric_layer import GeometricLayer
from minikeras.ops.arguments import check_choice
from minikeras.ops.host_resize import host_resize
from minikeras.ops.image_moves import (
    fitting_window,
    resized_boxes,
    resized_images,
    window,
)
from minikeras.random.seed_generator import SeedGenerator, make_default_seed

_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
_STATIC = ("interpolation", "antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio",
           "fill_mode", "fill_value", "data_format")  # fmt: skip


class SizeLayer(GeometricLayer):
    """Base of layers whose output has one size; NumPy arrays stay so in a pipeline."""

    _mk_in_inference = True

    def _mk_set_size(self, height, width):
        self.height = positive_int(height, "height")
        self.width = positive_int(width, "width")

    def _mk_as_array(self, x):
        # A program of JAX for each size of image would take 0.1 s to compile.
        return np.asarray(x) if current().in_pipeline else super()._mk_as_array(x)

    def _mk_cast(self, images):
        if isinstance(images, np.ndarray):
            return images.astype(self.compute_dtype)
        return super()._mk_cast(images)

    def _mk_draw(self, sizes, seed, training):
        return {"start": None}

    def _mk_new_size(self, size):
        return self.height, self.width

    def _mk_image_shape(self, shape):
        if len(shape) not in (3, 4) or any(isinstance(n, (tuple, list)) for n in shape):
            raise ValueError(
                "`input_shape` must be a non-nested tuple or list of size 3 (one "
                f"image) or 4 (a batch), got {shape}."
            )
        new = list(shape)
        rows, columns = image_axes(self.data_format)
        new[rows], new[columns] = self.height, self.width
        return tuple(new)

    def _mk_resize(self, images, **settings):
        """`keras.ops.image.resize`, without a program if the images are of NumPy."""
        size, layout = (self.height, self.width), self.data_format
        if not isinstance(images, np.ndarray) or not current().in_pipeline:
            return resized_images(
                jnp.asarray(images), size, data_format=layout, **settings
            )
        rows, _ = axes = image_axes(layout)
        old = tuple(images.shape[axis] for axis in axes)
        if settings.get("crop_to_aspect_ratio"):
            place = fitting_window(old, size)
            images = window(images, axes, place[:2], place[2:])
        elif settings.get("pad_to_aspect_ratio"):
            edges: Any = [(0, 0)] * images.ndim
            # Sizes that have the new aspect ratio with the old width, or height.
            fits = old[1] * size[0] // size[1], old[0] * size[1] // size[0]
            for axis, n, fit in zip(axes, old, fits, strict=True):
                edges[axis] = (max(max(fit, 1) - n, 0) // 2,) * 2
            images = np.pad(images, edges, constant_values=settings["fill_value"])
        names = ("interpolation", "antialias")
        return host_resize(images, size, rows, **{n: settings[n] for n in names})


class Resizing(SizeLayer):
    """Scale images to one size.

    Args:
        height: int, the new height in pixels.
        width: int, the new width in pixels.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"`, `"lanczos3"` or
            `"lanczos5"`.
        crop_to_aspect_ratio: bool, whether to cut off borders first, so that nothing is
            distorted.
        pad_to_aspect_ratio: bool, whether to add borders instead.
        fill_mode: must be `"constant"`.
        fill_value: number, for added borders.
        antialias: bool, whether to blur before an image shrinks.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same with the new height and width. The dtype of images stays as it is.

    Raises:
        ValueError: a size below 1, or an unknown mode.

    >>> keras.layers.Resizing(1, 4)(np.array([[[0.0], [4.0]]])).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """

    _mk_config_names = ("height", "width", *_STATIC[:1], *_STATIC[2:6], "antialias")

    def __init__(
        self,
        height,
        width,
        interpolation="bilinear",
        crop_to_aspect_ratio=False,
        pad_to_aspect_ratio=False,
        fill_mode="constant",
        fill_value=0.0,
        antialias=False,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_size(height, width)
        check_choice("Resizing", "interpolation", interpolation, _INTERPOLATIONS)
        check_choice("Resizing", "fill_mode", fill_mode, ("constant",))
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                "Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be "
                "`True`."
            )
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def _mk_cast(self, images):
        return images

    def _mk_transform(self, images, transformation, interpolation):
        settings = {name: getattr(self, name) for name in _STATIC[:6]}
        return self._mk_resize(images, **settings | {"interpolation": interpolation})

    def _mk_move(self, boxes, transformation, height, width):
        # Numbers that are all 0, or all -1, are no box: they become 0.
        none = (boxes <= 0).all(axis=-1, keepdims=True)
        aspect = self.crop_to_aspect_ratio, self.pad_to_aspect_ratio
        size, new_size = (height, width), (self.height, self.width)
        return jnp.where(none, 0.0, resized_boxes(boxes, size, new_size, *aspect))


class CropLayer(SizeLayer):
    """Base of layers that take a window; of small images, the largest, scaled."""

    _mk_casts_masks = True

    def _mk_transform(self, images, transformation, interpolation):
        start = transformation["start"]
        if start is not None:
            axes, size = image_axes(self.data_format), (self.height, self.width)
            return window(images, axes, start, size)
        return self._mk_resize(
            images,
            interpolation=interpolation,
            antialias=False,
            crop_to_aspect_ratio=True,
        )

    def _mk_move(self, boxes, transformation, height, width):
        start, new_size = transformation["start"], (self.height, self.width)
        top, left, height, width = (
            fitting_window((height, width), new_size)
            if start is None
            else (*start, *new_size)
        )
        start, size, new_size = (
            jnp.tile(jnp.stack([jnp.asarray(n, boxes.dtype) for n in pair]), 2)
            for pair in ((left, top), (width, height), new_size[::-1])
        )
        return jnp.clip(boxes - start, 0, size) * (new_size / size)


class CenterCrop(CropLayer):
    """Take the middle of images; of smaller images the largest window, scaled up.

    Args:
        height: int, height of the window in pixels.
        width: int, width of the window in pixels.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input and output shape: as of `Resizing`; the output has the compute dtype.

    Raises:
        ValueError: a size below 1.

    >>> keras.layers.CenterCrop(1, 1)(np.arange(9).reshape(3, 3, 1)).tolist()
    [[[4.0]]]
    """

    _mk_config_names = ("height", "width")

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_size(height, width)

    def _mk_draw(self, sizes, seed, training):
        top, left = sizes[1] - self.height, sizes[2] - self.width
        return {"start": (top // 2, left // 2) if top >= 0 and left >= 0 else None}


class RandomCrop(CropLayer):
    """Take a window at a random place in training, one for the batch.

    In inference, and of images that are not larger than the window along both axes, the
    largest window in the middle that has its aspect ratio is taken and scaled.

    Args:
        height: int, height of the window in pixels.
        width: int, width of the window in pixels.
        seed: int, seed of the places; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        name: str, unique name of the layer; None makes one.
        **kwargs: `bounding_box_format`, and the other arguments of `keras.Layer`.

    Input and output shape: as of `Resizing`; the output has the compute dtype.

    Raises:
        ValueError: a size below 1; in a call: images of unknown size.

    >>> keras.layers.RandomCrop(2, 2, seed=1)(np.ones((4, 8, 8, 3))).shape
    (4, 2, 2, 3)
    """

    _mk_config_names = ("height", "width", "seed")

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
        super().__init__(data_format=data_format, name=name, **kwargs)
        self._mk_set_size(height, width)
        # Without a seed, Keras draws two: one for the config, one for the generator.
        self.seed = make_default_seed() if seed is None else seed
        self.generator = SeedGenerator(seed)

    def _mk_draw(self, sizes, seed, training):
        _, height, width = sizes
        if height is None or width is None:
            raise ValueError(
                "RandomCrop requires the input to have a fully defined height and "
                f"width. Received: height={height}, width={width}"
            )
        if not training or height <= self.height or width <= self.width:
            return {"start": None}
        top, left = (
            random.uniform((), 0, float(more + 1), seed=self._mk_source(seed))
            for more in (height - self.height, width - self.width)
        )
        return {"start": (top.astype("int32"), left.astype("int32"))}

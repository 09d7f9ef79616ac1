"""CenterCrop and RandomCrop: windows of images."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import image_axes
from minikeras.layers.preprocessing.image.geometric_layer import moved_boxes
from minikeras.layers.preprocessing.image.resizing import SizeLayer
from minikeras.random.seed_generator import SeedGenerator, make_default_seed


def fitting_window(size, new_size):
    """(top, left, height, width) of the largest window of another aspect ratio."""
    (h, w), (new_h, new_w) = size, new_size
    height = max(min(h, int(w * new_h / new_w)), 1)
    width = max(min(w, int(h * new_w / new_h)), 1)
    return (h - height) // 2, (w - width) // 2, height, width


class Window(NamedTuple):
    """Where a `RandomCrop` begins, in images of `size`."""

    top: Any
    left: Any
    size: tuple[int, int]


class CropLayer(SizeLayer):
    """Base of layers that take a window; of small images, the largest, scaled."""

    def transform_images(self, images, transformation=None, training=True):
        """Take the window of the images, in the compute dtype.

        Args:
            images: array of rank 3 or 4.
            transformation: what `get_random_transformation` returned.
            training: bool.
        """
        return self._mk_crop(images, transformation, training, "bilinear")

    def transform_segmentation_masks(
        self, segmentation_masks, transformation=None, training=True
    ):
        """Take the window of the masks, in the compute dtype; to the nearest pixel.

        Args:
            segmentation_masks: array of rank 3 or 4.
            transformation: what `get_random_transformation` returned.
            training: bool.
        """
        return self._mk_crop(segmentation_masks, transformation, training, "nearest")

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Cut the boxes off at the window; those outside get the label -1.

        Args:
            bounding_boxes: dict of `boxes` (n, k, 4) and `labels` (n, k).
            transformation: what `get_random_transformation` returned.
            training: bool.
        """
        size, new_size = self._mk_size_before(transformation), (self.height, self.width)
        start = self._mk_start(size, transformation, training)
        top, left, height, width = (
            fitting_window(size, new_size) if start is None else (*start, *new_size)
        )

        def move(boxes):
            boxes = boxes - jnp.stack([jnp.asarray(v) for v in (left, top) * 2])
            limit = jnp.asarray([width, height] * 2)
            scale = jnp.asarray([self.width / width, self.height / height] * 2)
            return jnp.clip(boxes, 0, limit) * scale

        box_format = self.bounding_box_format
        return moved_boxes(bounding_boxes, move, box_format, size, new_size)

    def _mk_crop(self, images, transformation, training, interpolation):
        images = self._mk_cast(images)
        size = self._mk_sizes(images)[1:]
        start = self._mk_start(size, transformation, training)
        if start is None:
            return self._mk_resize(images, interpolation)
        for axis, first, length in zip(
            image_axes(self.data_format), start, (self.height, self.width), strict=True
        ):
            axis += images.ndim
            if isinstance(first, int) or isinstance(images, np.ndarray):
                first = int(first)
                window = (slice(None),) * axis + (slice(first, first + length),)
                images = images[window]
            else:
                images = lax.dynamic_slice_in_dim(images, first, length, axis)
        return images

    def _mk_size_before(self, transformation):
        """(height, width) of the images before."""
        raise NotImplementedError

    def _mk_start(self, size, transformation, training):
        """Top and left of the window; None for the largest window, scaled."""
        raise NotImplementedError


class CenterCrop(CropLayer):
    """Take the middle of images; smaller images are scaled up first.

    Args:
        height: int, height of the window in pixels.
        width: int, width of the window in pixels.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same with the new height and width.

    Raises:
        ValueError: a size below 1.

    >>> keras.layers.CenterCrop(1, 1)(np.arange(9).reshape(3, 3, 1)).tolist()
    [[[4.0]]]
    """

    _mk_config_names = ("height", "width")

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_size(height, width)

    def get_random_transformation(self, data, training=True, seed=None):
        """Return the shape of the images; nothing is random.

        Args:
            data: images, or a dict with them.
            training: not used.
            seed: not used.
        """
        return {"input_shape": self._mk_shape(data)}

    def _mk_size_before(self, transformation):
        shape = transformation["input_shape"]
        return tuple(int(shape[axis]) for axis in image_axes(self.data_format))

    def _mk_start(self, size, transformation, training):
        top, left = size[0] - self.height, size[1] - self.width
        return (top // 2, left // 2) if top >= 0 and left >= 0 else None


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
        **kwargs: `bounding_box_format`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same with the new height and width.

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

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw top and left of the window, in pixels.

        Args:
            data: images, or a dict with them.
            training: bool; False takes the middle.
            seed: `SeedGenerator` or int; None: the layer's own.

        Raises:
            ValueError: the height or the width is not known.
        """
        _, height, width = self._mk_sizes(data)
        if height is None or width is None:
            raise ValueError(
                "RandomCrop requires the input to have a fully defined height and "
                f"width. Received: images.shape={self._mk_shape(data)}"
            )
        if not training or height <= self.height or width <= self.width:
            window = fitting_window((height, width), (self.height, self.width))
            return Window(*window[:2], (height, width))
        top, left = (
            random.uniform((), 0, float(more + 1), seed=self._mk_source(seed))
            for more in (height - self.height, width - self.width)
        )
        return Window(top.astype("int32"), left.astype("int32"), (height, width))

    def _mk_size_before(self, transformation):
        return transformation[2]

    def _mk_start(self, size, transformation, training):
        drawn = training and size[0] > self.height and size[1] > self.width
        return transformation[:2] if drawn else None

"""Resizing: images of any size scaled to one size."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.bridge import current
from minikeras.core.checks import positive_int
from minikeras.layers.preprocessing.image.arguments import image_axes
from minikeras.layers.preprocessing.image.base_image_layer import (
    BaseImagePreprocessingLayer,
)
from minikeras.layers.preprocessing.image.geometric_layer import moved_boxes
from minikeras.ops.arguments import check_choice
from minikeras.ops.host_resize import host_resize
from minikeras.ops.image import resize

_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
_resize = jax.jit(
    resize,
    static_argnames=(
        *("size", "interpolation", "antialias", "crop_to_aspect_ratio"),
        *("pad_to_aspect_ratio", "fill_mode", "fill_value", "data_format"),
    ),
)


def resized_boxes(boxes, size, new_size, crop=False, pad=False):
    """Boxes in xyxy in images of `size` scaled to `new_size`, (height, width) each."""
    size, new_size = np.array(size), np.array(new_size)
    ratio, offset = new_size / size, np.zeros(2)
    if crop or pad:
        ratio = np.full(2, ratio.min() if pad else ratio.max())
        # Half of what is too much or missing lies before the image, rounded down.
        more = np.round(size * ratio - new_size, 4)
        offset = -(more // 2) if crop else -more // 2
    (y, x), (top, left) = ratio, offset
    scale, move = (
        jnp.asarray(v, boxes.dtype) for v in ((x, y, x, y), (left, top, left, top))
    )
    return boxes * scale + move


class SizeLayer(BaseImagePreprocessingLayer):
    """Base of layers whose output has one size; NumPy arrays stay so in a pipeline."""

    _mk_takes_factor = False

    def _mk_set_size(self, height, width):
        self.height = positive_int(height, "height")
        self.width = positive_int(width, "width")

    def _mk_as_array(self, x):
        # A program of JAX for each size of image would take 0.1 s to compile.
        if current().in_pipeline:
            return np.asarray(x)
        return super()._mk_as_array(x)

    def _mk_cast(self, images):
        """The images in the compute dtype, in NumPy if they are."""
        if isinstance(images, np.ndarray):
            return images.astype(self.compute_dtype)
        return jnp.asarray(images, self.compute_dtype)

    def _mk_resize(self, images, interpolation, crop=True, **settings):
        """The images scaled to the size; by default of the largest fitting window."""
        size = (self.height, self.width)
        pad = settings.get("pad_to_aspect_ratio", False)
        rows, columns = image_axes(self.data_format)
        if not isinstance(images, np.ndarray) or not current().in_pipeline:
            return _resize(
                jnp.asarray(images),
                size,
                interpolation=interpolation,
                crop_to_aspect_ratio=crop,
                data_format=self.data_format,
                **settings,
            )
        h, w = images.shape[rows], images.shape[columns]
        fit = (
            max(w * self.height // self.width, 1),
            max(h * self.width // self.height, 1),
        )
        edges = [(0, 0)] * images.ndim
        cut = [slice(None)] * images.ndim
        for axis, old, new in ((rows, h, fit[0]), (columns, w, fit[1])):
            before = max(new - old, 0) // 2
            edges[axis] = before, before
            keep = min(old, new)
            cut[axis] = slice((old - keep) // 2, (old - keep) // 2 + keep)
        if crop:
            images = images[tuple(cut)]
        elif pad:
            value = settings.get("fill_value", 0.0)
            images = np.pad(images, edges, constant_values=value)
        antialias = settings.get("antialias", False)
        return host_resize(images, size, interpolation, antialias, rows)

    def _mk_image_shape(self, shape):
        if len(shape) not in (3, 4) or not all(
            n is None or isinstance(n, int) for n in shape
        ):
            raise ValueError(
                "`input_shape` must be a non-nested tuple or list of size 3 (one "
                f"image) or 4 (a batch), got {shape}."
            )
        new = list(shape)
        rows, columns = image_axes(self.data_format)
        new[rows], new[columns] = self.height, self.width
        return tuple(new)


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
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same with the new height and width. The dtype of images stays as it is.

    Raises:
        ValueError: a size below 1, or an unknown mode.

    >>> keras.layers.Resizing(1, 4)(np.array([[[0.0], [4.0]]])).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """

    _mk_config_names = (
        *("height", "width", "interpolation", "crop_to_aspect_ratio"),
        *("pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias"),
    )

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

    def get_random_transformation(self, data, training=True, seed=None):
        """Return the height and width of the images; nothing is random.

        Args:
            data: images, or a dict with them.
            training: not used.
            seed: not used.
        """
        return self._mk_sizes(data)[1:]

    def transform_images(self, images, transformation=None, training=True):
        """Scale the images.

        Args:
            images: array of rank 3 or 4.
            transformation: not used.
            training: not used.
        """
        return self._mk_transform(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks, transformation=None, training=True
    ):
        """Scale the masks; each pixel is the nearest one.

        Args:
            segmentation_masks: array of rank 3 or 4.
            transformation: not used.
            training: not used.
        """
        return self._mk_transform(segmentation_masks, transformation, "nearest")

    def _mk_transform(self, images, transformation, interpolation):
        return self._mk_resize(
            images,
            interpolation,
            self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            antialias=self.antialias,
        )

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Scale the boxes.

        Args:
            bounding_boxes: dict of `boxes` (n, k, 4) and `labels` (n, k).
            transformation: height and width of the images before.
            training: not used.
        """
        given, size = bounding_boxes["boxes"], transformation
        new_size = (self.height, self.width)
        # Numbers that are all 0, or all -1, are no box: they become 0.
        none = jnp.all(given == 0, -1, keepdims=True)
        none |= jnp.all(given == -1, -1, keepdims=True)

        def move(boxes):
            aspect = self.crop_to_aspect_ratio, self.pad_to_aspect_ratio
            return jnp.where(none, 0.0, resized_boxes(boxes, size, new_size, *aspect))

        return moved_boxes(
            bounding_boxes, move, self.bounding_box_format, size, new_size
        )

"""Bases of the layers that move pixels: boxes follow, and affine maps."""

from functools import partial

import jax
import jax.numpy as jnp

from minikeras.layers.preprocessing.image.arguments import check_mode, image_axes
from minikeras.layers.preprocessing.image.base_image_layer import (
    BaseImagePreprocessingLayer,
)
from minikeras.ops.boxes import clip_to_image_size, convert_format
from minikeras.ops.image import affine_transform

_FILL_MODES = ("reflect", "wrap", "constant", "nearest")
_INTERPOLATIONS = ("nearest", "bilinear")


@partial(
    jax.jit, static_argnames=("interpolation", "fill_mode", "fill_value", "data_format")
)
def affine_images(images, matrix, interpolation, fill_mode, fill_value, data_format):
    """`keras.ops.image.affine_transform` as one program."""
    return affine_transform(
        images, matrix, interpolation, fill_mode, fill_value, data_format
    )


def matrix_rows(a0, a1, a2, b0, b1, b2):
    """Affine maps (n, 8) of coordinates from their six numbers, each (n,) or 0 or 1."""
    rows = jnp.broadcast_arrays(a0, a1, a2, b0, b1, b2, 0.0, 0.0)
    return jnp.stack(rows, axis=-1)


def moved_boxes(bounding_boxes, move, box_format, size, new_size=None):
    """Boxes of any format moved by a function of boxes in xyxy, and clipped.

    Args:
        bounding_boxes: dict of `boxes` and `labels`.
        move: function from boxes in xyxy, in pixels, to such boxes.
        box_format: format of the boxes and of the result.
        size: (height, width) of the image.
        new_size: the size afterwards; None: the same.
    """
    new_size = new_size or size
    boxes = convert_format(bounding_boxes["boxes"], box_format, "xyxy", *size)
    moved = clip_to_image_size({**bounding_boxes, "boxes": move(boxes)}, *new_size)
    return convert_format(moved, "xyxy", box_format, *new_size)


class GeometricLayer(BaseImagePreprocessingLayer):
    """Base of layers that move pixels at random, and boxes with them."""

    _mk_takes_factor = False

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Move the boxes as the pixels; those that leave the image get the label -1.

        Args:
            bounding_boxes: dict of `boxes` (n, k, 4) and `labels` (n, k).
            transformation: what `get_random_transformation` returned.
            training: bool; False returns the boxes as they are.
        """
        if not training or transformation is None:
            return bounding_boxes
        shape = transformation["input_shape"]
        size = height, width = tuple(
            int(shape[axis]) for axis in image_axes(self.data_format)
        )

        def move(boxes):
            return self._mk_move(boxes, transformation, height, width)

        return moved_boxes(bounding_boxes, move, self.bounding_box_format, size)

    def _mk_move(self, boxes, transformation, height, width):
        """Move boxes (n, k, 4), in xyxy."""
        raise NotImplementedError


class AffineLayer(GeometricLayer):
    """Base of layers that move pixels by a random affine map."""

    def _mk_set_affine(self, fill_mode, interpolation, seed, fill_value):
        """Check and store the arguments that all of these layers have."""
        check_mode("fill_mode", fill_mode, _FILL_MODES)
        check_mode("interpolation", interpolation, _INTERPOLATIONS)
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.interpolation = interpolation
        self._mk_set_seed(seed)

    def _mk_transform(self, images, transformation, interpolation):
        if transformation is None:
            return images
        _, height, width = self._mk_sizes(images)
        return affine_images(
            images,
            self._mk_matrix(transformation, height, width),
            interpolation,
            self.fill_mode,
            self.fill_value,
            self.data_format,
        )

    def _mk_matrix(self, transformation, height, width):
        """The maps (n, 8) from new to old coordinates."""
        raise NotImplementedError

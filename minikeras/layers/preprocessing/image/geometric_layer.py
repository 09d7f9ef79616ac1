"""GeometricLayer: base of the layers that move pixels; boxes and masks follow."""

from minikeras.layers.preprocessing.image.arguments import image_axes
from minikeras.layers.preprocessing.image.base_image_layer import (
    BaseImagePreprocessingLayer,
)
from minikeras.ops.boxes import clip_to_image_size, convert_format


class GeometricLayer(BaseImagePreprocessingLayer):
    """Base of layers that move pixels: a draw, and what it does to images and boxes."""

    _mk_takes_factor = False

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw how pixels move; None for not at all.

        Args:
            data: images, or a dict with them.
            training: bool, whether to draw.
            seed: `SeedGenerator` or int; None: the layer's own.
        """
        if not (training or self._mk_in_inference):
            return None
        drawn = self._mk_draw(self._mk_sizes(data), seed, training)
        return drawn and {**drawn, "input_shape": self._mk_shape(data)}

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Move boxes as the pixels; those that leave the image get the label -1.

        Args:
            bounding_boxes: dict of `boxes` (n, k, 4) and `labels` (n, k).
            transformation: what `get_random_transformation` returned.
            training: bool.
        """
        if transformation is None or not (training or self._mk_in_inference):
            return bounding_boxes
        shape = transformation["input_shape"]
        size = tuple(int(shape[axis]) for axis in image_axes(self.data_format))
        new_size, box_format = self._mk_new_size(size), self.bounding_box_format
        boxes = convert_format(bounding_boxes["boxes"], box_format, "xyxy", *size)
        boxes = self._mk_move(boxes, transformation, *size)
        moved = clip_to_image_size({**bounding_boxes, "boxes": boxes}, *new_size)
        return convert_format(moved, "xyxy", box_format, *new_size)

    def _mk_any_rank(self, images, transformation, interpolation):
        if transformation is None:
            return images
        return super()._mk_any_rank(images, transformation, interpolation)

    def _mk_new_size(self, size):
        """(height, width) of the outputs."""
        return size

    def _mk_draw(self, sizes, seed, training):
        """The draws as a dict, for images of `sizes` (n, h, w); None for none."""
        raise NotImplementedError

    def _mk_move(self, boxes, transformation, height, width):
        """Move boxes (n, k, 4), in xyxy, in images of this size."""
        raise NotImplementedError

"""MaxNumBoundingBoxes: the same number of boxes for each image."""

from typing import Any

import jax.numpy as jnp

from minikeras.layers.preprocessing.image.base_image_layer import (
    BaseImagePreprocessingLayer,
)


def to_length(x, length, fill_value):
    """Axis 1 of an array cut to a length, or filled up to it."""
    x = x[:, :length]
    missing = [(0, 0)] * x.ndim
    missing[1] = (0, length - x.shape[1])
    return jnp.pad(x, missing, constant_values=fill_value)


class MaxNumBoundingBoxes(BaseImagePreprocessingLayer):
    """Cut or fill the bounding boxes of each image to one number.

    Args:
        max_number: int, the number of boxes.
        fill_value: int, value of the added boxes and of their labels.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: dict with `images`, `bounding_boxes` of `boxes` (batch, k, 4) and
    `labels` (batch, k), and other entries, which stay as they are. Output shape: the
    same with k = `max_number`.

    Raises:
        ValueError: a number of boxes below 1.

    >>> layer = keras.layers.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
    >>> boxes = {"boxes": np.ones((1, 2, 4)), "labels": np.ones((1, 2))}
    >>> y = layer({"images": np.ones((1, 4, 4, 3)), "bounding_boxes": boxes})
    >>> y["bounding_boxes"]["labels"].tolist()
    [[1.0, 1.0, -1.0]]
    """

    _mk_takes_factor = False
    _mk_config_names = ("max_number", "fill_value")

    def __init__(self, max_number, fill_value=-1, **kwargs):
        super().__init__(**kwargs)
        self.max_number = int(max_number)
        self.fill_value = int(fill_value)
        if self.max_number < 1:
            raise ValueError(f"`max_number` must be at least 1, got {max_number}.")

    transform_images: Any = BaseImagePreprocessingLayer.transform_labels
    transform_segmentation_masks: Any = BaseImagePreprocessingLayer.transform_labels

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Cut or fill the boxes and their labels.

        Args:
            bounding_boxes: dict of `boxes` (n, k, 4) and `labels` (n, k, …).
            transformation: not used.
            training: not used.
        """
        new = {
            key: to_length(bounding_boxes[key], self.max_number, self.fill_value)
            for key in ("boxes", "labels")
        }
        return {**bounding_boxes, **new}

    def compute_output_shape(self, input_shape):
        """Return the shapes with the new number of boxes.

        Args:
            input_shape: shape of the images, or dict of the shapes.

        Raises:
            KeyError: the boxes have other entries than `boxes` and `labels`.
        """
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return input_shape
        boxes = input_shape["bounding_boxes"]
        if extra := sorted(set(boxes) - {"boxes", "labels"}):
            raise KeyError(
                f"There are unsupported keys in `bounding_boxes`: {extra}. "
                "Only `boxes` and `labels` are supported."
            )
        new = {k: (s[0], self.max_number, *s[2:]) for k, s in boxes.items()}
        return {**input_shape, "bounding_boxes": new}

    def get_config(self):
        """Return the constructor's arguments; Keras leaves out `fill_value`."""
        config = super().get_config()
        if self.fill_value == -1:
            del config["fill_value"]
        return config

"""RandomElasticTransform: images whose pixels move like those of a rubber sheet."""

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import (
    check_factor,
    check_mode,
    check_value_range,
)
from minikeras.layers.preprocessing.image.geometric_layer import GeometricLayer
from minikeras.ops.image_moves import elastic_images
from minikeras.random.seed_generator import draw_seed

_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


class RandomElasticTransform(GeometricLayer):
    """Move the pixels of images by smoothed noise in training.

    Args:
        factor: number in [0, 1], the probability that an image changes, or a pair
            (lower, upper) that it is drawn from.
        scale: number in [0, 1], the largest strength of the movement, or a pair
            (lower, upper).
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: pixels from beyond the border: `"reflect"`, `"mirror"`, `"wrap"`,
            `"nearest"`, or `"constant"` for `fill_value`.
        fill_value: number.
        value_range: pair of the lowest and the highest value of a pixel.
        seed: int, seed of the draws; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: the arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `segmentation_masks`. Output shape: the same. Boxes
    cannot follow such a movement.

    Raises:
        ValueError: a number out of its range.
        NotImplementedError: an unknown mode; in a call: bounding boxes.

    >>> keras.layers.RandomElasticTransform()(np.ones((1, 8, 8, 3))).shape
    (1, 8, 8, 3)
    """

    _mk_config_names = (
        *("factor", "scale", "interpolation", "fill_mode", "fill_value"),
        *("value_range", "seed"),
    )

    def __init__(
        self,
        factor=1.0,
        scale=1.0,
        interpolation="bilinear",
        fill_mode="reflect",
        fill_value=0.0,
        value_range=(0, 255),
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, (0, 1))
        self.scale = check_factor(scale, (0, 1), "scale")
        check_mode("interpolation", interpolation, ("nearest", "bilinear"))
        check_mode("fill_mode", fill_mode, _FILL_MODES)
        self.interpolation = interpolation
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.value_range = check_value_range(value_range)
        self._mk_set_seed(seed)

    def _mk_draw(self, sizes, seed, training):
        if self.scale[1] == 0 or self.factor[1] == 0:
            return None
        n, seed = sizes[0], self._mk_source(seed)
        probability = random.uniform((n,), *self.factor, seed=seed)
        threshold = random.uniform((n,), 0.0, 1.0, seed=seed)
        strength = random.uniform((), *self.scale, dtype=self.compute_dtype, seed=seed)
        return {
            "apply_transform": threshold < probability,
            "distortion_factor": strength,
            # One key for images and masks: Keras moves them differently.
            "seed": draw_seed(seed),
        }

    def transform_images(self, images, transformation, training=True):
        """Move the pixels, and clip them to `value_range`.

        Args:
            images: array of rank 4.
            transformation: what `get_random_transformation` returned.
            training: bool; False returns the images as they are.
        """
        images = super().transform_images(images, transformation, training)
        if not training or transformation is None:
            return images
        return jnp.clip(images, *self.value_range).astype(images.dtype)

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Move the masks as the images, to the nearest pixel.

        Args:
            segmentation_masks: array of rank 4.
            transformation: what `get_random_transformation` returned.
            training: bool; False returns the masks as they are.
        """
        if training and transformation is not None:
            # Keras moves masks by a noise of their own. It is drawn, so that the next
            # call's draws are Keras's.
            self.generator.next()
        return super().transform_segmentation_masks(
            segmentation_masks, transformation, training
        )

    def _mk_move(self, boxes, transformation, height, width):
        raise NotImplementedError(
            "RandomElasticTransform does not move bounding boxes: a box is no box "
            "afterwards. Leave out 'bounding_boxes', or use another layer."
        )

    def _mk_transform(self, images, transformation, interpolation):
        n, height, width = self._mk_sizes(images)
        key, shape = transformation["seed"], (n, height, width, 1)
        noise = random.normal(shape, dtype=self.compute_dtype, seed=key)
        longest = int(6.01 * 0.05 * min(height, width) * max(self.scale)) | 1
        return elastic_images(
            images,
            jnp.asarray(transformation["apply_transform"]),
            transformation["distortion_factor"],
            noise,
            self.fill_value,
            longest,
            (interpolation, self.fill_mode),
            self.data_format,
        )

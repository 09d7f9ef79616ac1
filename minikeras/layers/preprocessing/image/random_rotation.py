"""RandomRotation: images turned about their middle."""

import jax
import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_factor
from minikeras.layers.preprocessing.image.geometric_layer import (
    AffineLayer,
    matrix_rows,
)
from minikeras.ops.boxes import affine_transform


@jax.jit
def rotation_matrix(angle, height, width):
    """Maps (n, 8) that turn images by angles (n,) in degrees about their middle."""
    angle = jnp.radians(angle)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    x, y = 0.5 * (jnp.asarray([width, height], angle.dtype) - 1)
    return matrix_rows(
        *(cosine, -sine, x - x * cosine + y * sine),
        *(sine, cosine, y - x * sine - y * cosine),
    )


class RandomRotation(AffineLayer):
    """Turn each image by a random angle in training.

    Args:
        factor: number f in [-1, 1] for angles between -f and f whole turns, or a pair
            (lower, upper). Positive angles turn counter-clockwise.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the angles; None draws one from Python's `random`.
        fill_value: number.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: an unknown mode.

    >>> keras.layers.RandomRotation(0.2, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _mk_config_names = ("factor", "fill_mode", "fill_value", "interpolation", "seed")

    def __init__(
        self,
        factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, (-1, 1))
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw an angle in degrees for each image; None if not training.

        Args:
            data: images, or a dict with them.
            training: bool.
            seed: `SeedGenerator` or int; None: the layer's own.
        """
        if not training:
            return None
        n, height, width = self._mk_sizes(data)
        low, high = (f * 360.0 for f in self.factor)
        angle = random.uniform((n,), low, high, seed=self._mk_source(seed))
        return {
            "angle": angle,
            "rotation_matrix": rotation_matrix(angle, height, width),
            "image_height": height,
            "image_width": width,
            "batch_size": n,
            "input_shape": self._mk_shape(data),
        }

    def _mk_matrix(self, transformation, height, width):
        return transformation["rotation_matrix"]

    def _mk_move(self, boxes, transformation, height, width):
        angle = transformation["angle"]
        return affine_transform(boxes, angle, 0.0, 0.0, 1.0, 0.0, 0.0, height, width)

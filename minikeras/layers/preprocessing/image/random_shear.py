"""RandomShear: images whose rows or columns are moved against each other."""

import jax
import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_factor
from minikeras.layers.preprocessing.image.geometric_layer import (
    AffineLayer,
    matrix_rows,
)


@jax.jit
def sheared_boxes(boxes, shear, size):
    """Boxes in xyxy after a shear of the image, estimated as Keras does.

    Keras measures the boxes in sizes of the image, which is exact for square images.

    Args:
        boxes: (n, k, 4) or (k, 4) array.
        shear: (n, 2) array of the shear along x and y.
        size: height and width.
    """
    height, width = size
    scale = jnp.asarray([width, height, width, height], boxes.dtype)
    x1, y1, x2, y2 = jnp.moveaxis(boxes / scale, -1, 0)
    along_x, along_y = shear[:, :1], shear[:, 1:]
    # Each side moves with the corner that goes farthest outwards.
    x1, x2 = (
        x1 - along_x * jnp.where(along_x < 0, y1, y2),
        x2 - along_x * jnp.where(along_x < 0, y2, y1),
    )
    y1, y2 = (
        y1 - along_y * jnp.where(along_y > 0, x2, x1),
        y2 - along_y * jnp.where(along_y > 0, x1, x2),
    )
    return jnp.stack([x1, y1, x2, y2], axis=-1) * scale


def check_shear(factor, name):
    """A factor in [0, 1] as (-factor, factor), or a pair (lower, upper)."""
    # Keras refuses its own configs, which hold (-factor, factor).
    if isinstance(factor, (tuple, list)):
        return check_factor(factor, (-1, 1), name)
    check_factor(factor, (0, 1), name)
    return -factor, factor


class RandomShear(AffineLayer):
    """Move the rows and columns of each image against each other in training.

    Args:
        x_factor: number f in [0, 1] for a shear along x between -f and f, in pixels for
            each row, or a pair (lower, upper).
        y_factor: the same along y, for each column.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        fill_value: number.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the shears; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: an unknown mode.

    >>> keras.layers.RandomShear(0.3, 0.1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _mk_config_names = (
        *("x_factor", "y_factor", "fill_mode", "interpolation", "seed", "fill_value"),
    )

    def __init__(
        self,
        x_factor=0.0,
        y_factor=0.0,
        interpolation="bilinear",
        fill_mode="reflect",
        fill_value=0.0,
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor = check_shear(x_factor, "x_factor")
        self.y_factor = check_shear(y_factor, "y_factor")
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw a shear along x and y for each image; None if not training.

        Args:
            data: images, or a dict with them.
            training: bool.
            seed: `SeedGenerator` or int; None: the layer's own.
        """
        if not training:
            return None
        n, seed = self._mk_sizes(data)[0], self._mk_source(seed)
        dtype = self.compute_dtype
        # One more draw decides the sign.
        sign = random.uniform((n, 1), 0.0, 1.0, dtype=dtype, seed=seed)
        sign = jnp.where(sign > 0.5, -1, 1).astype(dtype)
        y = random.uniform((n, 1), *self.y_factor, dtype=dtype, seed=seed)
        x = random.uniform((n, 1), *self.x_factor, dtype=dtype, seed=seed)
        return {
            "shear_factor": jnp.concatenate([x, y], axis=1) * sign,
            "input_shape": self._mk_shape(data),
        }

    def _mk_matrix(self, transformation, height, width):
        x, y = jnp.asarray(transformation["shear_factor"]).T
        return matrix_rows(1.0, x, 0.0, y, 1.0, 0.0)

    def _mk_move(self, boxes, transformation, height, width):
        shear = jnp.asarray(transformation["shear_factor"], boxes.dtype)
        return sheared_boxes(boxes, shear, (height, width))

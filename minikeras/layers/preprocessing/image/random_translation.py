"""RandomTranslation: images moved up, down and sideways."""

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_factor
from minikeras.layers.preprocessing.image.geometric_layer import (
    AffineLayer,
    matrix_rows,
)


class RandomTranslation(AffineLayer):
    """Move each image by a random distance in training.

    Args:
        height_factor: number f in [-1, 1] for distances between -f and f heights, or a
            pair (lower, upper). Positive ones move the image down.
        width_factor: the same in widths. Positive ones move the image to the right.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the distances; None draws one from Python's `random`.
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

    >>> layer = keras.layers.RandomTranslation((0.5, 0.5), 0.0, fill_mode="constant")
    >>> layer(np.ones((1, 2, 1, 1))).ravel().tolist()
    [0.0, 1.0]
    """

    _mk_config_names = (
        *("height_factor", "width_factor", "fill_mode", "interpolation", "seed"),
        "fill_value",
    )

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor = height_factor
        self.height_lower, self.height_upper = check_factor(
            height_factor, (-1, 1), "height_factor"
        )
        self.width_factor = width_factor
        self.width_lower, self.width_upper = check_factor(
            width_factor, (-1, 1), "width_factor"
        )
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw a distance in pixels along x and y for each image; None if not training.

        Args:
            data: images, or a dict with them.
            training: bool.
            seed: `SeedGenerator` or int; None: the layer's own.
        """
        if not training:
            return None
        (n, height, width), seed = self._mk_sizes(data), self._mk_source(seed)
        y = random.uniform((n, 1), self.height_lower, self.height_upper, seed=seed)
        x = random.uniform((n, 1), self.width_lower, self.width_upper, seed=seed)
        translations = jnp.concatenate([x * width, y * height], axis=1)
        return {
            "translations": translations.astype("float32"),
            "input_shape": self._mk_shape(data),
        }

    def _mk_matrix(self, transformation, height, width):
        x, y = jnp.asarray(transformation["translations"]).T
        return matrix_rows(1.0, 0.0, -x, 0.0, 1.0, -y)

    def _mk_move(self, boxes, transformation, height, width):
        shift = jnp.asarray(transformation["translations"], boxes.dtype)
        shift = jnp.tile(shift, 2)
        return boxes + (shift[:, None] if boxes.ndim == 3 else shift)

"""RandomZoom: images made larger or smaller within their size."""

import jax
import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_factor
from minikeras.layers.preprocessing.image.geometric_layer import (
    AffineLayer,
    matrix_rows,
)


@jax.jit
def zoom_edges(zoom, size):
    """(offset, scale): the new pixel p is the old one at scale · p + offset."""
    return (size - 1.0) / 2 * (1 - zoom), zoom


def check_zoom(factor, name):
    """A factor as (lower, upper), in (-1, 1]."""
    values = factor if isinstance(factor, (tuple, list)) else (factor,)
    if any(isinstance(v, (int, float)) and v <= -1 for v in values):
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in "
            f"the range (-1, 1]. Received: {name}={factor}"
        )
    return check_factor(factor, (-1, 1), name)


class RandomZoom(AffineLayer):
    """Zoom into or out of each image by a random factor in training.

    Args:
        height_factor: number f in (-1, 1] for changes between -f and f of the height
            that is shown, or a pair (lower, upper). Negative ones zoom in.
        width_factor: the same for the width; None: the change of the height, which
            keeps the aspect ratio.
        fill_mode: pixels from beyond the border: `"reflect"`, `"wrap"`, `"nearest"`, or
            `"constant"` for `fill_value`.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the factors; None draws one from Python's `random`.
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

    >>> x = np.arange(4.0).reshape(1, 1, 4, 1)
    >>> keras.layers.RandomZoom(0.0, (-0.5, -0.5))(x).ravel().tolist()
    [0.75, 1.25, 1.75, 2.25]
    """

    _mk_config_names = (
        *("height_factor", "width_factor", "fill_mode", "interpolation", "seed"),
        "fill_value",
    )

    def __init__(
        self,
        height_factor,
        width_factor=None,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor = height_factor
        self.height_lower, self.height_upper = check_zoom(
            height_factor, "height_factor"
        )
        self.width_factor = width_factor
        if width_factor is not None:
            self.width_lower, self.width_upper = check_zoom(
                width_factor, "width_factor"
            )
        self._mk_set_affine(fill_mode, interpolation, seed, fill_value)

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw the share of height and width that each image shows.

        Args:
            data: images, or a dict with them.
            training: bool; False returns None.
            seed: `SeedGenerator` or int; None: the layer's own.
        """
        if not training:
            return None
        shape, seed = (self._mk_sizes(data)[0], 1), self._mk_source(seed)
        low, high = 1.0 + self.height_lower, 1.0 + self.height_upper
        height_zoom = width_zoom = random.uniform(shape, low, high, seed=seed)
        if self.width_factor is not None:
            low, high = 1.0 + self.width_lower, 1.0 + self.width_upper
            width_zoom = random.uniform(shape, low, high, seed=seed)
        return {
            "height_zoom": height_zoom,
            "width_zoom": width_zoom,
            "input_shape": self._mk_shape(data),
        }

    def _mk_edges(self, transformation, height, width):
        sizes = (("width_zoom", width), ("height_zoom", height))
        return [
            zoom_edges(jnp.asarray(transformation[key], "float32")[:, 0], size)
            for key, size in sizes
        ]

    def _mk_matrix(self, transformation, height, width):
        (x, wide), (y, high) = self._mk_edges(transformation, height, width)
        return matrix_rows(wide, 0.0, x, 0.0, high, y)

    def _mk_move(self, boxes, transformation, height, width):
        (x, wide), (y, high) = self._mk_edges(transformation, height, width)
        start, scale, size = (
            jnp.stack(jnp.broadcast_arrays(*pair), axis=-1)
            for pair in ((x, y), (wide, high), (width, height))
        )
        start, scale, size = (jnp.tile(v, 2) for v in (start, scale, size))
        if boxes.ndim == 3:
            start, scale = start[:, None], scale[:, None]
        # The window that is shown begins at `start` and has the size scale · size.
        seen = jnp.clip(boxes, start, start + scale * size) - start
        return seen / scale

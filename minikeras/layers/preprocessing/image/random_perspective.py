"""RandomPerspective: images seen from the side."""

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_factor, check_mode
from minikeras.layers.preprocessing.image.geometric_layer import GeometricLayer
from minikeras.ops.image_moves import perspective_boxes, perspective_images


class RandomPerspective(GeometricLayer):
    """Move the corners of images at random in training, as a change of view does.

    Args:
        factor: number in [0, 1], the probability that an image changes, or a pair
            (lower, upper) that it is drawn from.
        scale: number in [0, 1], the largest movement of a corner, in halves of its
            coordinates.
        interpolation: `"nearest"` or `"bilinear"`.
        fill_value: number, for pixels from beyond the border.
        seed: int, seed of the draws; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same.

    Raises:
        ValueError: a number out of its range.
        NotImplementedError: an unknown interpolation.

    >>> keras.layers.RandomPerspective(scale=0.5)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _mk_config_names = ("factor", "scale", "interpolation", "fill_value", "seed")

    def __init__(
        self,
        factor=1.0,
        scale=1.0,
        interpolation="bilinear",
        fill_value=0.0,
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, (0, 1))
        if not 0 <= scale <= 1:
            raise ValueError(
                "The `scale` argument should be a number in the range [0, 1]. "
                f"Received: scale={scale}"
            )
        check_mode("interpolation", interpolation, ("nearest", "bilinear"))
        self.scale = scale
        self.fill_value = fill_value
        self.interpolation = interpolation
        self._mk_set_seed(seed)

    def _mk_draw(self, sizes, seed, training):
        (n, height, width), seed = sizes, self._mk_source(seed)
        probability = random.uniform((n,), *self.factor, seed=seed)
        threshold = random.uniform((n,), 0.0, 1.0, seed=seed)
        dtype, half = self.compute_dtype, 0.5 * self.scale
        movement = random.uniform((n, 4, 2), -half, half, dtype=dtype, seed=seed)
        x, y = width - 1, height - 1
        start = jnp.asarray([[0, 0], [x, 0], [0, y], [x, y]], dtype)
        start = jnp.broadcast_to(start, (n, 4, 2))
        return {
            "apply_perspective": threshold < probability,
            "start_points": start,
            "end_points": start + start * movement,
        }

    def _mk_points(self, transformation):
        keys = ("apply_perspective", "start_points", "end_points")
        chosen, *points = (jnp.asarray(transformation[key]) for key in keys)
        return chosen, *(p.astype("float32") for p in points)

    def _mk_transform(self, images, transformation, interpolation):
        return perspective_images(
            images,
            *self._mk_points(transformation),
            interpolation,
            self.fill_value,
            self.data_format,
        )

    def _mk_move(self, boxes, transformation, height, width):
        return perspective_boxes(boxes, *self._mk_points(transformation))

"""RandomFlip: images mirrored left to right, or upside down."""

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import image_axes
from minikeras.layers.preprocessing.image.geometric_layer import GeometricLayer
from minikeras.ops.arguments import check_choice
from minikeras.ops.image_moves import flipped, flipped_boxes

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(GeometricLayer):
    """Mirror each image in training, with probability 1/2.

    Args:
        mode: `"horizontal"` (left to right), `"vertical"` (upside down), or
            `"horizontal_and_vertical"` (both at once, as in Keras on JAX).
        seed: int, seed of the draws; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, and the arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; or a
    dict with `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape:
    the same.

    Raises:
        ValueError: an unknown mode.

    >>> x = np.array([[[[1.0], [2.0]]]])
    >>> y = keras.layers.RandomFlip("horizontal", seed=1)(x)
    >>> y.ravel().tolist() in ([1.0, 2.0], [2.0, 1.0])
    True
    """

    _mk_config_names = ("seed", "mode")
    _mk_casts_masks = True  # as in Keras

    def __init__(
        self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs
    ):
        super().__init__(data_format=data_format, **kwargs)
        check_choice("RandomFlip", "mode", mode, _MODES)
        self.mode = mode
        self._mk_set_seed(seed)

    def _mk_draw(self, sizes, seed, training):
        draw = random.uniform((sizes[0], 1, 1, 1), seed=self._mk_source(seed))
        return {"flips": draw <= 0.5}

    def _mk_transform(self, images, transformation, interpolation):
        flips = jnp.asarray(transformation["flips"])
        return flipped(images, flips, self.mode, image_axes(self.data_format))

    def _mk_move(self, boxes, transformation, height, width):
        flips = jnp.asarray(transformation["flips"])
        return flipped_boxes(boxes, flips, (height, width), self.mode)

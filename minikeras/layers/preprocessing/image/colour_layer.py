"""Base of the image layers that change the values of pixels, and not their places."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import (
    check_value_range,
    image_axes,
)
from minikeras.layers.preprocessing.image.base_image_layer import (
    BaseImagePreprocessingLayer,
)


def sorted_range(value_range):
    """A checked pair of numbers as a list, the lowest first."""
    is_pair = isinstance(value_range, (tuple, list))
    return check_value_range(sorted(value_range) if is_pair else value_range)


class ColourLayer(BaseImagePreprocessingLayer):
    """Base: labels, boxes and masks stay; a subclass defines how pixels change.

    Args:
        **kwargs: arguments of the base of image layers.

    Attributes:
        _mk_draws_in_inference: does the generator step in inference, as in Keras? The
            draws that follow depend on it.
        _mk_casts_in_inference: are the images cast to the compute dtype then?
    """

    _mk_takes_factor = False
    _mk_draws_in_inference = False
    _mk_casts_in_inference = False

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Any:
        """Draw how the images change; None if nothing is drawn.

        Args:
            data: the input of the layer: images or a dict.
            training: bool, whether to draw.
            seed: `SeedGenerator` or int to draw from; None: the layer's own.
        """
        shape = np.shape(data["images"] if isinstance(data, dict) else data)
        if not (training or self._mk_draws_in_inference):
            return None
        return self._mk_draw(shape, seed)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        """Change the pixels of a batch.

        Args:
            images: array of rank 4.
            transformation: what `get_random_transformation` returned.
            training: bool; False returns the images as they are.
        """
        if not training and not self._mk_casts_in_inference:
            return images
        images = jnp.asarray(images, self.compute_dtype)
        return self._mk_change(images, transformation) if training else images

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return the masks as they are.

        Args:
            segmentation_masks: array of rank 4.
            transformation: what `get_random_transformation` returned.
            training: bool.
        """
        return segmentation_masks

    # -- what subclasses define ---------------------------------------------------

    def _mk_draw(self, shape, seed):
        """The transformation of images of this shape."""
        return None

    def _mk_change(self, images, transformation):
        """The images in training; they have the compute dtype."""
        raise NotImplementedError(f"{type(self).__name__} must define `_mk_change`.")

    # -- help for subclasses ------------------------------------------------------

    @property
    def _mk_axes(self):
        return image_axes(self.data_format)

    @property
    def _mk_range(self):
        """The value range as an argument that programs can be made for."""
        return tuple(self.value_range)

    def _mk_factors(self, shape, seed, **settings):
        """One factor for each image, uniform between the bounds."""
        low, high = self.factor
        return random.uniform(shape, low, high, seed=self._mk_source(seed), **settings)

    def _mk_chosen(self, n, seed):
        """Which images change: each with a probability drawn between the bounds."""
        probability = self._mk_factors((n,), seed)
        return random.uniform((n,), seed=self._mk_source(seed)) < probability


def batch_size(shape):
    """The number of images; one image is a batch of one."""
    return shape[0] if len(shape) == 4 else 1


def factor_shape(shape):
    """The shape of one number for each image that broadcasts to the images."""
    return (*shape[:-3], 1, 1, 1)


def per_image(x, axes=3):
    """(n,) numbers or one number -> (n, 1, …), with this many axes of size 1."""
    return jnp.reshape(jnp.asarray(x), (-1, *(1,) * axes))

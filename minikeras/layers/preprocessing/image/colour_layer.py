"""Base of the image layers that change the values of pixels, and not their places."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import (
    check_factor,
    check_value_range,
)
from minikeras.layers.preprocessing.image.base_image_layer import (
    BaseImagePreprocessingLayer,
)


def sorted_range(value_range):
    """A checked pair of numbers as a list, the lowest first."""
    is_pair = isinstance(value_range, (tuple, list))
    return check_value_range(sorted(value_range) if is_pair else value_range)


def batch_size(shape):
    """The number of images; one image is a batch of one."""
    return shape[0] if len(shape) == 4 else 1


def factor_shape(shape):
    """The shape of one number for each image that broadcasts to the images."""
    return (*shape[:-3], 1, 1, 1)


class ColourLayer(BaseImagePreprocessingLayer):
    """Base: pixels change by `f(images, **draws, **constants)`; masks stay.

    Attributes:
        _mk_function: f, mostly of `ops/image_enhance.py`.
        _mk_constants: names of the attributes that f takes.
        _mk_is_random: are there draws? Without them f gets only the constants.
        _mk_draws_in_inference: does the generator step in inference, as in Keras? The
            draws that follow depend on it.
        _mk_works_in_inference: do the images change in inference too?
        _mk_casts_in_inference: are they cast to the compute dtype then?
        _mk_keeps_dtype: are they never cast?
        _mk_sorts_range: does the value range become a sorted list, as in Keras?
    """

    _mk_takes_factor = False
    _mk_factor_bounds = (0, 1)
    _mk_function: Callable[..., Any]
    _mk_constants: tuple[str, ...] = ("value_range", "data_format")
    _mk_is_random = True
    _mk_draws_in_inference = False
    _mk_works_in_inference = False
    _mk_casts_in_inference = False
    _mk_keeps_dtype = False
    _mk_sorts_range = False

    def get_random_transformation(self, data, training=True, seed=None):
        """Draw how the images change; None if nothing is drawn."""
        draws = training or self._mk_draws_in_inference
        if not self._mk_is_random or not draws:
            return None
        shape = np.shape(data["images"] if isinstance(data, dict) else data)
        return self._mk_draw(shape, self._mk_source(seed))

    def transform_images(self, images, transformation=None, training=True):
        """Change the pixels of a batch."""
        works = training or self._mk_works_in_inference
        if not works and not self._mk_casts_in_inference:
            return images
        dtype = None if self._mk_keeps_dtype else self.compute_dtype
        images = jnp.asarray(images, dtype)
        if not works or (transformation is None and self._mk_is_random):
            return images
        return self._mk_change(images, transformation)

    def transform_labels(self, labels, transformation, training=True):
        """Change the labels as the images, where that has a meaning."""
        if not training or transformation is None:
            return labels
        return self._mk_change_labels(jnp.asarray(labels), transformation)

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Change the masks as the images, where that has a meaning."""
        if not training or transformation is None:
            return segmentation_masks
        return self._mk_change_masks(jnp.asarray(segmentation_masks), transformation)

    def _mk_change_labels(self, labels, transformation, /):
        return labels

    def _mk_change_masks(self, masks, transformation, /):
        return masks

    def _mk_draw(self, shape, source):
        """The transformation of images of this shape: the arrays that f takes."""
        return None

    def _mk_change(self, images, transformation):
        """The changed images."""
        draws = {key: jnp.asarray(x) for key, x in (transformation or {}).items()}
        values = {name: getattr(self, name) for name in self._mk_constants}
        # Programs are made for constants: a list cannot be one.
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return self._mk_function(images, **draws, **values)

    def _mk_set_random(self, factor, value_range, seed):
        """Check and set these arguments."""
        self.factor = check_factor(factor, self._mk_factor_bounds)
        check = sorted_range if self._mk_sorts_range else check_value_range
        self.value_range = check(value_range)
        self._mk_set_seed(seed)

    def _mk_uniform(self, shape, bounds, source):
        """Uniform numbers of the compute dtype."""
        return random.uniform(shape, *bounds, dtype=self.compute_dtype, seed=source)

    def _mk_factors(self, shape, source):
        """Uniform numbers between the bounds of the factor."""
        return random.uniform(shape, *self.factor, seed=source)

    def _mk_chosen(self, n, source):
        """Which images change: each with a probability drawn between the bounds."""
        probability = self._mk_factors((n,), source)
        return random.uniform((n,), seed=source) < probability


class FactorLayer(ColourLayer):
    """Base of the layers with one random factor for each image."""

    _mk_draws_in_inference = True
    _mk_sorts_range = True
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(
        self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_random(factor, value_range, seed)

    def _mk_draw(self, shape, source):
        return {"factor": self._mk_factors((batch_size(shape),), source)}

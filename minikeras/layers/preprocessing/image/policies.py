"""RandAugment and AugMix: random sequences of the other image layers."""

import random as python_random

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import random
from minikeras.core.checks import positive_int
from minikeras.layers.preprocessing.image import contrast, random_colour, random_detail
from minikeras.layers.preprocessing.image.affine_layers import (
    RandomRotation,
    RandomShear,
    RandomTranslation,
)
from minikeras.layers.preprocessing.image.arguments import (
    check_factor,
    check_value_range,
)
from minikeras.layers.preprocessing.image.colour_layer import ColourLayer
from minikeras.random.seed_generator import SeedGenerator

_GEOMETRY = ("random_shear", "random_translation", "random_rotation")
_COLOURS = (
    "random_brightness",
    "random_color_degeneration",
    "random_contrast",
    "random_sharpness",
)
_LEVELS = ("random_posterization", "solarization", "auto_contrast", "equalization")


class _KeyStream(SeedGenerator):
    """A generator that lives in one trace: it starts at a raw key and counts on."""

    def __init__(self, key):
        self.key = key

    def next(self, ordered=True):
        """Return the current key and step."""
        now = self.key
        self.key = now + jnp.array([0, 1], now.dtype)
        return now


def _is_traced(x):
    return isinstance(x, jax.core.Tracer)


def _run_one(index, functions, value):
    """functions[index](value); only this one is computed, under jit too."""

    def same_dtypes(function):
        def run(value):
            cast = lambda new, old: jnp.asarray(new, old.dtype)  # noqa: E731
            return jax.tree_util.tree_map(cast, function(value), value)

        return run

    if _is_traced(index):
        return jax.lax.switch(index, [same_dtypes(f) for f in functions], value)
    return same_dtypes(functions[int(index)])(value)


class _PolicyLayer(ColourLayer):
    """Base of the layers that apply other image layers in random order."""

    _mk_factor_bounds = (0, 1)
    _mk_casts_in_inference = True

    def _mk_set_policy(self, value_range, factor, interpolation, seed, options):
        """Set the arguments that both have; a generator for the draws."""
        self.value_range = check_value_range(value_range)
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self.interpolation = interpolation
        self._mk_set_seed(seed)
        # A name would be that of each layer.
        options = {k: v for k, v in options.items() if k != "name"}
        options["data_format"] = self.data_format
        ranged = {"value_range": value_range, **options}
        moved = {"interpolation": interpolation, "seed": seed, **options}
        f, coloured = self.factor, {"seed": seed, **ranged}
        self.random_shear = RandomShear(f, f, **moved)
        self.random_translation = RandomTranslation(f, f, **moved)
        self.random_rotation = RandomRotation(f, **moved)
        self.solarization = contrast.Solarization(f, f, **coloured)
        levels = max(1, int(8 * f[1]))
        self.random_posterization = random_detail.RandomPosterization(
            levels, **coloured
        )
        self.auto_contrast = contrast.AutoContrast(**ranged)
        self.equalization = contrast.Equalization(**ranged)
        return coloured

    def _mk_set_colours(self, settings):
        """Add the layers that AugMix uses with `all_ops` only."""
        f = self.factor
        self.random_brightness = random_colour.RandomBrightness(f, **settings)
        self.random_color_degeneration = random_colour.RandomColorDegeneration(
            f, **settings
        )
        self.random_contrast = random_colour.RandomContrast(f, **settings)
        self.random_sharpness = random_detail.RandomSharpness(f, **settings)

    def _mk_layers(self):
        """The layers to choose from, in Keras's order."""
        return [getattr(self, name) for name in self._mk_names]

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Move the masks as the images."""
        if not training:
            return segmentation_masks
        masks = jnp.asarray(segmentation_masks)
        return self._mk_apply("transform_segmentation_masks", masks, transformation)


class RandAugment(_PolicyLayer):
    """Apply `num_ops` randomly chosen image layers, one after the other, in training.

    The choice is one for the batch, from shear, translation, rotation, brightness,
    colour degeneration, contrast, sharpness, posterization, solarization, automatic
    contrast and equalization; each image has its own random numbers. In inference the
    images are returned as they are, in the compute dtype.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        num_ops: int, number of layers that are applied.
        factor: number in [0, 1], or pair of bounds, strength of the layers.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, 3) or (h, w, 3), or channels first; or a dict with
    `images`, `labels`, `bounding_boxes`, `segmentation_masks`. Output shape: the same.

    Raises:
        ValueError: an argument out of its range.

    Source: Cubuk et al. 2019, https://arxiv.org/abs/1909.13719. Boxes move in the order
    of the images; in Keras in the order above, and once if a layer is chosen twice.

    >>> keras.layers.RandAugment(seed=1)(np.ones((2, 8, 8, 3)), training=True).shape
    (2, 8, 8, 3)
    """

    _mk_names = _GEOMETRY + _COLOURS + _LEVELS
    _mk_config_names = ("value_range", "num_ops", "factor", "interpolation", "seed")

    def __init__(
        self,
        value_range=(0, 255),
        num_ops=2,
        factor=0.5,
        interpolation="bilinear",
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.num_ops = positive_int(num_ops, "num_ops")
        settings = self._mk_set_policy(value_range, factor, interpolation, seed, kwargs)
        self._mk_set_colours(settings)

    def _mk_draw(self, shape, seed):
        names, source = self._mk_names, self._mk_source(None)
        indices = random.randint((self.num_ops,), 0, len(names), seed=source)
        # Every layer draws, also if it is not chosen: so the stream is Keras's.
        images = jax.ShapeDtypeStruct(shape, self.compute_dtype)
        draws = {
            name: layer.get_random_transformation(images, training=True, seed=source)
            for name, layer in zip(names, self._mk_layers(), strict=True)
        }
        return {"transforms": draws, "layer_idxes": indices}

    def _mk_apply(self, method, value, transformation):
        def function(layer, draw):
            return lambda x: getattr(layer, method)(x, draw)

        draws = transformation["transforms"].values()
        functions = list(map(function, self._mk_layers(), draws))
        indices = transformation["layer_idxes"]
        for index in indices if _is_traced(indices) else np.asarray(indices):
            value = _run_one(index, functions, value)
        return value

    def _mk_change(self, images, transformation):
        return self._mk_apply("transform_images", images, transformation)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Move the boxes as the images."""
        if not training:
            return bounding_boxes
        boxes = {key: jnp.asarray(x) for key, x in bounding_boxes.items()}
        return self._mk_apply("transform_bounding_boxes", boxes, transformation)


class AugMix(_PolicyLayer):
    """Mix images with the results of random chains of image layers in training.

    y = w * x + (1 - w) * Σ_c m_c * chain_c(x), with w from Beta(alpha, alpha) and
    m from a Dirichlet distribution, both one for the batch. Each step of a chain applies
    one randomly chosen layer, or none. In inference the images are returned as they
    are, in the compute dtype.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        num_chains: int, number of chains.
        chain_depth: int, steps of a chain.
        factor: number in [0, 1], or pair of bounds, strength of the layers.
        alpha: number > 0 of both distributions.
        all_ops: bool; False leaves out brightness, colour degeneration, contrast and
            sharpness, which some benchmarks test.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, 3) or (h, w, 3), or channels first; a dict with the keys
    `images` and `segmentation_masks` too. Output shape: the same.

    Raises:
        ValueError: an argument out of its range.

    Source: Hendrycks et al. 2019, https://arxiv.org/abs/1912.02781. Eager calls choose
    the layers by Python's `random`, as Keras does. Compiled ones draw them anew in each
    step; in Keras such a choice would be made once.

    >>> keras.layers.AugMix(seed=1)(np.ones((8, 8, 3)), training=True).shape
    (8, 8, 3)
    """

    _mk_config_names = (
        "value_range",
        "num_chains",
        "chain_depth",
        "factor",
        "alpha",
        "all_ops",
        "interpolation",
        "seed",
    )

    def __init__(
        self,
        value_range=(0, 255),
        num_chains=3,
        chain_depth=3,
        factor=0.3,
        alpha=1.0,
        all_ops=True,
        interpolation="bilinear",
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.num_chains = positive_int(num_chains, "num_chains")
        self.chain_depth = positive_int(chain_depth, "chain_depth")
        self.alpha = alpha
        self.all_ops = all_ops
        settings = self._mk_set_policy(value_range, factor, interpolation, seed, kwargs)
        self._mk_names = _GEOMETRY + _LEVELS + (_COLOURS if all_ops else ())
        if all_ops:
            self._mk_set_colours(settings)

    def _mk_draw(self, shape, seed):
        source = self._mk_source(seed)
        parts = random.gamma((self.num_chains,), self.alpha, seed=source)
        weight = random.beta((), self.alpha, self.alpha, seed=source)
        draws = {
            "chain_mixing_weights": parts / jnp.sum(parts, axis=-1, keepdims=True),
            "weight_sample": weight,
        }
        size = (self.num_chains, self.chain_depth)
        if _is_traced(weight):
            # Python's `random` would choose once, while JAX traces.
            layers = random.randint(size, 0, len(self._mk_names) + 1, seed=source)
            keys = jax.random.split(source.next(), size)
            return {**draws, "layers": layers, "keys": keys}
        images = jax.ShapeDtypeStruct(shape, self.compute_dtype)
        chains = [self._mk_draw_chain(images) for _ in range(self.num_chains)]
        return {**draws, "chain_transforms": chains}

    def _mk_draw_chain(self, images):
        """[{name of a layer, its draw}], chosen by Python's `random`."""
        chain = []
        for _ in range(self.chain_depth):
            name = python_random.choice([*self._mk_names, None])
            if name is not None:
                draw = getattr(self, name).get_random_transformation(
                    images, seed=self._mk_source(None)
                )
                chain.append({"layer_name": name, "transformation": draw})
        return chain

    def _mk_apply(self, method, x, transformation):
        """The sum of the results of the chains, by their weights."""
        weights = transformation["chain_mixing_weights"].astype(self.compute_dtype)
        dtype = jnp.result_type(x.dtype, weights.dtype)
        if "layers" in transformation:
            steps = (transformation["layers"], transformation["keys"])
            return self._mk_scan(method, x.astype(dtype), weights, steps)
        total = jnp.zeros(x.shape, dtype)
        chains = transformation["chain_transforms"]
        for weight, chain in zip(weights, chains, strict=True):
            y = x
            for step in chain:
                layer = getattr(self, step["layer_name"])
                y = getattr(layer, method)(y, step["transformation"])
            total = total + y * weight
        return total

    def _mk_scan(self, method, x, weights, steps):
        """The same with layers chosen by traced numbers: each is compiled once."""

        def step(x, index_and_key):
            index, key = index_and_key

            def function(layer):
                def apply(x):
                    draw = layer.get_random_transformation(x, seed=_KeyStream(key))
                    return getattr(layer, method)(x, draw)

                return apply

            functions = [*map(function, self._mk_layers()), lambda x: x]
            return _run_one(index, functions, x), None

        def chain(total, weight_and_steps):
            weight, *steps = weight_and_steps
            y, _ = jax.lax.scan(step, x, tuple(steps))
            return total + y * weight, None

        return jax.lax.scan(chain, jnp.zeros_like(x), (weights, *steps))[0]

    def _mk_mix(self, method, x, transformation):
        weight = transformation["weight_sample"].astype(self.compute_dtype)
        return weight * x + (1 - weight) * self._mk_apply(method, x, transformation)

    def _mk_change(self, images, transformation):
        mixed = self._mk_mix("transform_images", images, transformation)
        return jnp.clip(mixed, *self.value_range).astype(self.compute_dtype)

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Mix the masks as the images."""
        if not training:
            return segmentation_masks
        masks = jnp.asarray(segmentation_masks)
        return self._mk_mix("transform_segmentation_masks", masks, transformation)

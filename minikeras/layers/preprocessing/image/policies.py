"""RandAugment and AugMix: random sequences of the other image layers."""

import random as python_random

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from minikeras import random
from minikeras.core.checks import is_int, positive_int, positive_number
from minikeras.core.loading import reserve
from minikeras.layers.configuration import own_arguments
from minikeras.layers.preprocessing.image import contrast
from minikeras.layers.preprocessing.image import random_colour as colour
from minikeras.layers.preprocessing.image import random_detail as detail
from minikeras.layers.preprocessing.image.affine_layers import (
    RandomRotation,
    RandomShear,
    RandomTranslation,
)
from minikeras.layers.preprocessing.image.colour_layer import ColourLayer
from minikeras.random.seed_generator import SeedGenerator

_GEOMETRY = ("random_shear", "random_translation", "random_rotation")
_COLOURS = ("random_brightness", "random_color_degeneration", "random_contrast")
_COLOURS += ("random_sharpness",)
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


def _run_one(index, functions, value):
    """functions[index](value); only this one is computed, under jit too."""

    def same_dtypes(function):
        def run(value):
            cast = lambda new, old: jnp.asarray(new, old.dtype)  # noqa: E731
            return jax.tree_util.tree_map(cast, function(value), value)

        return run

    if isinstance(index, Tracer):
        return jax.lax.switch(index, [same_dtypes(f) for f in functions], value)
    return same_dtypes(functions[int(index)])(value)


class _PolicyLayer(ColourLayer):
    """Base of the layers that apply other image layers in random order."""

    _mk_casts_in_inference = True
    _mk_names: tuple[str, ...]

    def _mk_set_policy(self, arguments, options):
        """Set the arguments, and make the layers to choose from."""
        self._mk_set_arguments(arguments | {"data_format": self.data_format})
        self._mk_set_random(self.factor, self.value_range, self.seed)
        f, levels = self.factor, max(1, int(8 * self.factor[1]))
        # A name would be that of each layer.
        options = {k: v for k, v in options.items() if k != "name"}
        options["data_format"] = self.data_format
        moved = {"interpolation": self.interpolation, "seed": self.seed, **options}
        options["value_range"] = self.value_range
        ranged = {"seed": self.seed, **options}
        made = {
            "random_shear": (RandomShear, (f, f), moved),
            "random_translation": (RandomTranslation, (f, f), moved),
            "random_rotation": (RandomRotation, (f,), moved),
            "random_brightness": (colour.RandomBrightness, (f,), ranged),
            "random_color_degeneration": (colour.RandomColorDegeneration, (f,), ranged),
            "random_contrast": (colour.RandomContrast, (f,), ranged),
            "random_sharpness": (detail.RandomSharpness, (f,), ranged),
            "solarization": (contrast.Solarization, (f, f), ranged),
            "random_posterization": (detail.RandomPosterization, (levels,), ranged),
            "auto_contrast": (contrast.AutoContrast, (), options),
            "equalization": (contrast.Equalization, (), options),
        }
        for name in self._mk_names:
            cls, positional, settings = made[name]
            setattr(self, name, cls(*positional, **settings))

    def _mk_draw_for(self, name, shape, source):
        """The draw of one of the layers for images of this shape."""
        images = jax.ShapeDtypeStruct(shape, self.compute_dtype)
        return getattr(self, name).get_random_transformation(images, seed=source)

    def _mk_functions(self, method, draws):
        """A function of images, or of what belongs to them, for each layer."""

        def function(name, draw):
            apply = getattr(getattr(self, name), method)
            return lambda x: apply(x, draw(name, x))

        return list(map(function, self._mk_names, draws))

    def _mk_change(self, images, transformation):
        return self._mk_apply("transform_images", images, transformation)

    def _mk_change_masks(self, masks, transformation):
        return self._mk_apply("transform_segmentation_masks", masks, transformation)


class RandAugment(_PolicyLayer):
    """Apply `num_ops` randomly chosen image layers, one after the other, in training.

    The choice is one for the batch, from shear, translation, rotation, brightness,
    colour degeneration, contrast, sharpness, posterization, solarization, automatic
    contrast and equalization; each image has its own random numbers. In inference
    nothing changes but the dtype.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        num_ops: int >= 0, number of layers that are applied.
        factor: number in [0, 1], or pair of bounds, strength of the layers.
        interpolation: `"nearest"` or `"bilinear"`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: an argument out of its range.

    Source: Cubuk et al. 2019, https://arxiv.org/abs/1909.13719. Boxes move as the
    images; in Keras in the order above, and once if a layer is chosen twice.

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
        if not is_int(num_ops) or num_ops < 0:
            raise ValueError(f"`num_ops` must be an int >= 0, got {num_ops!r}.")
        reserve(50_000 * num_ops, f"num_ops={num_ops}")  # each is traced
        self._mk_set_policy(own_arguments(locals()), kwargs)

    def _mk_draw(self, shape, source):
        names = self._mk_names
        indices = random.randint((self.num_ops,), 0, len(names), seed=source)
        # Every layer draws, also if it is not chosen: so the stream is Keras's.
        draws = {name: self._mk_draw_for(name, shape, source) for name in names}
        return {"transforms": draws, "layer_idxes": indices}

    def _mk_apply(self, method, value, transformation):
        draws = [lambda *_, d=d: d for d in transformation["transforms"].values()]
        functions = self._mk_functions(method, draws)
        indices = transformation["layer_idxes"]
        for index in indices if isinstance(indices, Tracer) else np.asarray(indices):
            value = _run_one(index, functions, value)
        return value

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Move the boxes as the images."""
        if not training:
            return bounding_boxes
        boxes = {key: jnp.asarray(x) for key, x in bounding_boxes.items()}
        return self._mk_apply("transform_bounding_boxes", boxes, transformation)


class AugMix(_PolicyLayer):
    """Mix images with the results of random chains of image layers in training.

    y = w * x + (1 - w) * Σ_c m_c * chain_c(x), with w from Beta(alpha, alpha) and m
    from a Dirichlet distribution, both one for the batch. Each step of a chain applies
    one randomly chosen layer, or none. In inference nothing changes but the dtype.

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
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: an argument out of its range.

    Source: Hendrycks et al. 2019, https://arxiv.org/abs/1912.02781. Eager calls choose
    the layers by Python's `random`, as Keras does. Compiled ones draw them anew in each
    step; in Keras such a choice would be made once.

    >>> keras.layers.AugMix(seed=1)(np.ones((8, 8, 3)), training=True).shape
    (8, 8, 3)
    """

    _mk_config_names = ("value_range", "num_chains", "chain_depth", "factor", "alpha")
    _mk_config_names += ("all_ops", "interpolation", "seed")

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
        positive_int(num_chains, "num_chains")
        positive_int(chain_depth, "chain_depth")
        positive_number(alpha, "alpha")
        self._mk_names = _GEOMETRY + _LEVELS + (_COLOURS if all_ops else ())
        self._mk_set_policy(own_arguments(locals()), kwargs)

    def _mk_draw(self, shape, source):
        parts = random.gamma((self.num_chains,), self.alpha, seed=source)
        weight = random.beta((), self.alpha, self.alpha, seed=source)
        parts = parts / jnp.sum(parts)
        draws = {"chain_mixing_weights": parts, "weight_sample": weight}
        size = (self.num_chains, self.chain_depth)
        if isinstance(weight, Tracer):
            # Python's `random` would choose once, while JAX traces.
            layers = random.randint(size, 0, len(self._mk_names) + 1, seed=source)
            keys = jax.random.split(source.next(), size)
            return {**draws, "layers": layers, "keys": keys}
        chains = [[] for _ in range(self.num_chains)]
        for chain in (c for c in chains for _ in range(self.chain_depth)):
            name = python_random.choice([*self._mk_names, None])
            if name is not None:
                draw = self._mk_draw_for(name, shape, source)
                chain.append({"layer_name": name, "transformation": draw})
        return {**draws, "chain_transforms": chains}

    def _mk_apply(self, method, x, transformation):
        """w * x + (1 - w) * the weighted sum of the results of the chains."""
        names = ("weight_sample", "chain_mixing_weights")
        own, weights = (transformation[n].astype(self.compute_dtype) for n in names)
        if "layers" in transformation:
            x = x.astype(jnp.result_type(x.dtype, weights.dtype))
            steps = (transformation["layers"], transformation["keys"])
            return own * x + (1 - own) * self._mk_scan(method, x, weights, steps)
        total = jnp.zeros(x.shape, weights.dtype)
        chains = transformation["chain_transforms"]
        for weight, chain in zip(weights, chains, strict=True):
            y = x
            for step in chain:
                layer = getattr(self, step["layer_name"])
                y = getattr(layer, method)(y, step["transformation"])
            total = total + y * weight
        return own * x + (1 - own) * total

    def _mk_scan(self, method, x, weights, steps):
        """The sum with layers chosen by traced numbers: each is compiled once."""

        def step(x, index_and_key):
            index, key = index_and_key

            def draw(name, x):
                return self._mk_draw_for(name, x.shape, _KeyStream(key))

            functions = self._mk_functions(method, [draw] * len(self._mk_names))
            return _run_one(index, [*functions, lambda x: x], x), None

        def chain(total, weight_and_steps):
            weight, *steps = weight_and_steps
            y, _ = jax.lax.scan(step, x, tuple(steps))
            return total + y * weight, None

        return jax.lax.scan(chain, jnp.zeros_like(x), (weights, *steps))[0]

    def _mk_change(self, images, transformation):
        mixed = super()._mk_change(images, transformation)
        return jnp.clip(mixed, *self.value_range).astype(self.compute_dtype)

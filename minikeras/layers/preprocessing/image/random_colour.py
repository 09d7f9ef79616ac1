"""Layers that change brightness, contrast and colours of images at random."""

import numbers

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_value_range
from minikeras.layers.preprocessing.image.colour_layer import (
    ColourLayer,
    FactorLayer,
    batch_size,
    factor_shape,
)
from minikeras.ops import image_enhance as enhance
from minikeras.settings import epsilon


class RandomBrightness(ColourLayer):
    """Add a random number to all pixels of an image in training.

    y = clip(x + f * (high - low), low, high), with f uniform between the bounds, one
    for each image. In inference nothing changes.

    Args:
        factor: number f in [-1, 1], which stands for (-f, f), or pair of bounds.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `data_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomBrightness((0.2, 0.2))
    >>> layer(np.zeros((1, 1, 1)), training=True).tolist()
    [[[51.0]]]
    """

    _mk_function = staticmethod(enhance.brighten)
    _mk_factor_bounds = (-1, 1)
    _mk_sorts_range = True
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(**kwargs)
        self._mk_set_random(factor, value_range, seed)

    def _mk_draw(self, shape, source):
        (low, high), shape = self.value_range, factor_shape(shape)
        return {"rgb_delta": self._mk_factors(shape, source) * (high - low)}


class RandomContrast(ColourLayer):
    """Move the pixels of each channel from or to their mean in training.

    y = clip((x - mean) * f + mean, low, high), with f uniform in [1 - lower, 1 +
    upper], one for each image. In inference nothing changes.

    Args:
        factor: number in [0, 1], or pair (lower, upper); a number f stands for (0, f).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `data_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomContrast((1.0, 0.0), seed=1)
    >>> layer(np.full((2, 2, 1), 7.0), training=True)[0, 0].tolist()
    [7.0]
    """

    _mk_function = staticmethod(enhance.change_contrast)
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(**kwargs)
        self._mk_set_random(factor, value_range, seed)

    def _mk_draw(self, shape, source):
        bounds = (1.0 - self.factor[0], 1.0 + self.factor[1])
        factor = self._mk_uniform(factor_shape(shape), bounds, source)
        return {"contrast_factor": factor}


class RandomColorDegeneration(FactorLayer):
    """Move the colours of images towards grey in training, by a random factor.

    y = clip(x + f * (grey - x), low, high), with f uniform between the bounds, one for
    each image. In inference nothing changes.

    Args:
        factor: number f in [-1, 1], which stands for (-f, f), or pair of bounds; 1
            gives grey images, 0 the same ones, -1 doubles the colours.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomColorDegeneration((1.0, 1.0))
    >>> layer(np.array([[[100.0, 0.0, 0.0]]]), training=True)[0, 0].tolist()
    [29.8..., 29.8..., 29.8...]
    """

    _mk_function = staticmethod(enhance.fade)
    _mk_factor_bounds = (-1, 1)

    def _mk_draw(self, shape, source):
        return {"factor": self._mk_factors((batch_size(shape), 1, 1, 1), source)}


class RandomGrayscale(ColourLayer):
    """Turn images grey in training, each with the same probability.

    All channels become 0.2989 red + 0.5870 green + 0.1140 blue. In inference nothing
    changes.

    Args:
        factor: number in [0, 1], the probability.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range.

    >>> x = np.array([[[100.0, 0.0, 0.0]]])
    >>> keras.layers.RandomGrayscale(1.0)(x, training=True)[0, 0].tolist()
    [29.8..., 29.8..., 29.8...]
    """

    _mk_function = staticmethod(enhance.grey_where)
    _mk_constants = ("data_format",)
    _mk_draws_in_inference = True
    _mk_keeps_dtype = True
    _mk_config_names = ("factor",)

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        is_number = isinstance(factor, numbers.Real)
        if not is_number or not 0 <= factor <= 1:
            raise ValueError(
                f"`factor` should be between 0 and 1. Received: factor={factor}"
            )
        self.factor = factor
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, source):
        draw = random.uniform((batch_size(shape),), seed=source)
        return {"chosen": draw < self.factor}


class RandomHue(FactorLayer):
    """Turn the hues of images in training, by a random part of the colour circle.

    hue = hue ± f / 2 in whole turns, with f uniform between the bounds and a random
    sign, one for each image. In inference nothing changes.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomHue((1.0, 1.0))  # the complementary colours
    >>> layer(np.array([[[255.0, 0.0, 0.0]]]), training=True)[0, 0].tolist()
    [0.0, 255.0, 255.0]
    """

    _mk_function = staticmethod(enhance.turn_hue)
    _mk_sorts_range = False

    def _mk_draw(self, shape, source):
        sign = random.uniform((batch_size(shape),), seed=source)
        sign = jnp.where(sign > 0.5, -1.0, 1.0).astype(sign.dtype)
        return {"factor": sign * self._mk_factors(sign.shape, source) * 0.5}


class RandomSaturation(FactorLayer):
    """Multiply the saturation of the colours of images in training.

    The multiplier is f / (1 - f), with f uniform between the bounds, one for each
    image: 0 gives grey images, 0.5 the same ones. In inference nothing changes.

    Args:
        factor: number in [0, 1], or pair of bounds in [0, 1]. A single number f stands
            for (-f, f), as in Keras; a negative multiplier acts as 0.
        value_range: pair (low, high), the least and the greatest value of a pixel; the
            saturation is clipped to it, as in Keras.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomSaturation((0.0, 0.0))
    >>> layer(np.array([[[100.0, 50.0, 50.0]]]), training=True)[0, 0].tolist()
    [100.0, 100.0, 100.0]
    """

    _mk_function = staticmethod(enhance.saturate)
    _mk_factor_bounds = (-1, 1)

    def _mk_draw(self, shape, source):
        factor = self._mk_factors((batch_size(shape),), source)
        return {"factor": factor / (1 - factor + epsilon())}


_JITTER = (
    ("brightness", RandomBrightness),
    ("contrast", RandomContrast),
    ("saturation", RandomSaturation),
    ("hue", RandomHue),
)


class RandomColorJitter(ColourLayer):
    """Change brightness, contrast, saturation and hue at random in training.

    The layers `RandomBrightness`, `RandomContrast`, `RandomSaturation` and `RandomHue`
    in this order; a factor of None leaves one out. In inference nothing changes.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        brightness_factor: `factor` of `RandomBrightness`, or None.
        contrast_factor: `factor` of `RandomContrast`, or None.
        saturation_factor: `factor` of `RandomSaturation`, or None.
        hue_factor: `factor` of `RandomHue`, or None.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomColorJitter(brightness_factor=(0.2, 0.2))
    >>> layer(np.zeros((1, 1, 3)), training=True)[0, 0].tolist()
    [51.0, 51.0, 51.0]
    """

    _mk_config_names = ("value_range", *(f"{p}_factor" for p, _ in _JITTER), "seed")

    def __init__(
        self,
        value_range=(0, 255),
        brightness_factor=None,
        contrast_factor=None,
        saturation_factor=None,
        hue_factor=None,
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_arguments(locals() | {"data_format": self.data_format})
        self.value_range = check_value_range(value_range)
        self._mk_set_seed(seed)
        # They have the global dtype policy, as in Keras: it decides the draws.
        options = {"value_range": value_range, "seed": seed, "data_format": data_format}
        for part, cls in _JITTER:
            factor = getattr(self, f"{part}_factor")
            layer = None if factor is None else cls(factor, **options)
            setattr(self, f"random_{part}", layer)

    def _mk_parts(self):
        layers = (getattr(self, f"random_{part}") for part, _ in _JITTER)
        return [layer for layer in layers if layer is not None]

    def _mk_draw(self, shape, source):
        return [layer._mk_draw(shape, source) for layer in self._mk_parts()]

    def _mk_change(self, images, transformation):
        for layer, draw in zip(self._mk_parts(), transformation, strict=True):
            images = layer._mk_change(images, draw)
        return images

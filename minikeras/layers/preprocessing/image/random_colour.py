"""Layers that change brightness, contrast and colours of images at random."""

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import (
    check_factor,
    check_value_range,
)
from minikeras.layers.preprocessing.image.colour_layer import (
    ColourLayer,
    batch_size,
    factor_shape,
    per_image,
    sorted_range,
)
from minikeras.ops import image_enhance as enhance
from minikeras.settings import epsilon


class RandomBrightness(ColourLayer):
    """Add a random number to all pixels of an image in training.

    y = clip(x + f * (high - low), low, high), with f uniform between the bounds, one
    for each image. In inference the images are returned as they are.

    Args:
        factor: number f in [-1, 1], which stands for (-f, f), or pair of bounds.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io; Keras adds to bytes modulo 256, this layer adds floats.

    >>> layer = keras.layers.RandomBrightness((0.2, 0.2))
    >>> layer(np.zeros((1, 1, 1)), training=True).tolist()
    [[[51.0]]]
    """

    _mk_takes_factor = True
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(factor=factor, **kwargs)
        self._mk_set_seed(seed)
        self.value_range = sorted_range(value_range)

    def _mk_draw(self, shape, seed):
        low, high = self.value_range
        return {"rgb_delta": self._mk_factors(factor_shape(shape), seed) * (high - low)}

    def _mk_change(self, images, transformation):
        delta = jnp.asarray(transformation["rgb_delta"])
        return enhance.brighten(images, delta, value_range=self._mk_range)


class RandomContrast(ColourLayer):
    """Move the pixels of each channel from or to their mean in training.

    y = clip((x - mean) * f + mean, low, high), with f uniform in
    [1 - lower, 1 + upper], one for each image. In inference the images are returned as
    they are.

    Args:
        factor: number in [0, 1], or pair (lower, upper); a number f stands for (0, f).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io; a single number does not lower the contrast there either.

    >>> layer = keras.layers.RandomContrast((1.0, 0.0), seed=1)
    >>> layer(np.full((2, 2, 1), 7.0), training=True)[0, 0].tolist()
    [7.0]
    """

    _mk_factor_bounds = (0, 1)
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self.value_range = check_value_range(value_range)
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, seed):
        lower, upper = self.factor
        factors = random.uniform(
            factor_shape(shape),
            1.0 - lower,
            1.0 + upper,
            dtype=self.compute_dtype,
            seed=self._mk_source(seed),
        )
        return {"contrast_factor": factors}

    def _mk_change(self, images, transformation):
        return enhance.change_contrast(
            images,
            jnp.asarray(transformation["contrast_factor"]),
            value_range=self._mk_range,
            axes=self._mk_axes,
        )


class _FactorLayer(ColourLayer):
    """Base of the layers with one random factor and a data format."""

    _mk_factor_bounds = (0, 1)
    _mk_draws_in_inference = True
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(
        self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self.value_range = sorted_range(value_range)
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, seed):
        return {"factor": self._mk_factors((batch_size(shape),), seed)}


class RandomColorDegeneration(_FactorLayer):
    """Move the colours of images towards grey in training, by a random factor.

    y = clip(x + f * (grey - x), low, high), with f uniform between the bounds, one for
    each image. In inference the images are returned as they are.

    Args:
        factor: number f in [-1, 1], which stands for (-f, f), or pair of bounds; 1
            gives grey images, 0 the same ones, -1 doubles the colours.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, 3) or (h, w, 3), or channels first; a dict with the key
    `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io.

    >>> layer = keras.layers.RandomColorDegeneration((1.0, 1.0))
    >>> layer(np.array([[[100.0, 0.0, 0.0]]]), training=True)[0, 0].tolist()
    [29.8..., 29.8..., 29.8...]
    """

    _mk_factor_bounds = (-1, 1)

    def _mk_draw(self, shape, seed):
        return {"factor": self._mk_factors((batch_size(shape), 1, 1, 1), seed)}

    def _mk_change(self, images, transformation):
        factor = jnp.asarray(transformation["factor"])
        settings = {"value_range": self._mk_range, "data_format": self.data_format}
        return enhance.fade(images, factor, **settings)


class RandomGrayscale(ColourLayer):
    """Turn images grey in training, each with the same probability.

    All channels become 0.2989 red + 0.5870 green + 0.1140 blue. In inference the images
    are returned as they are.

    Args:
        factor: number in [0, 1], the probability.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, 3) or (h, w, 3), or channels first; a dict with the key
    `images` too. Output shape: the same, in the dtype of the images.

    Raises:
        ValueError: a factor out of its range.

    Source: keras.io. The config has no seed, as in Keras.

    >>> x = np.array([[[100.0, 0.0, 0.0]]])
    >>> keras.layers.RandomGrayscale(1.0)(x, training=True)[0, 0].tolist()
    [29.8..., 29.8..., 29.8...]
    """

    _mk_draws_in_inference = True
    _mk_config_names = ("factor",)

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        if not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(
                f"`factor` should be between 0 and 1. Received: factor={factor}"
            )
        self.factor = factor
        self._mk_set_seed(seed)

    def transform_images(self, images, transformation=None, training=True):
        """Change the pixels of a batch; the dtype stays.

        Args:
            images: array of rank 4.
            transformation: what `get_random_transformation` returned; None draws it.
            training: bool; False returns the images as they are.
        """
        if not training:
            return images
        if transformation is None:
            transformation = self.get_random_transformation(images)
        images = jnp.asarray(images)
        return enhance.grey_where(images, transformation, data_format=self.data_format)

    def _mk_draw(self, shape, seed):
        draw = random.uniform((batch_size(shape),), seed=self._mk_source(seed))
        return per_image(draw < self.factor)


class RandomHue(_FactorLayer):
    """Turn the hues of images in training, by a random part of the colour circle.

    hue = hue ± f / 2 in whole turns, with f uniform between the bounds and a random
    sign, one for each image. In inference the images are returned as they are.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, 3) or (h, w, 3), or channels first; a dict with the key
    `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io.

    >>> layer = keras.layers.RandomHue((1.0, 1.0))  # the complementary colours
    >>> layer(np.array([[[255.0, 0.0, 0.0]]]), training=True)[0, 0].tolist()
    [0.0, 255.0, 255.0]
    """

    def __init__(
        self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        self.value_range = check_value_range(
            value_range
        )  # the config shows it as given

    def _mk_draw(self, shape, seed):
        n = batch_size(shape)
        sign = random.uniform((n,), seed=self._mk_source(seed))
        sign = jnp.where(sign > 0.5, -1.0, 1.0).astype(sign.dtype)
        return {"factor": sign * self._mk_factors((n,), seed) * 0.5}

    def _mk_change(self, images, transformation):
        turn = per_image(transformation["factor"], axes=2)
        settings = {"value_range": self._mk_range, "data_format": self.data_format}
        return enhance.turn_hue(images, turn, **settings)


class RandomSaturation(_FactorLayer):
    """Multiply the saturation of the colours of images in training.

    The multiplier is f / (1 - f), with f uniform between the bounds, one for each
    image: 0 gives grey images, 0.5 the same ones. In inference the images are returned
    as they are.

    Args:
        factor: number in [0, 1], or pair of bounds in [0, 1]. A single number f stands
            for (-f, f), as in Keras; a negative multiplier acts as 0.
        value_range: pair (low, high), the least and the greatest value of a pixel; the
            saturation is clipped to it, as in Keras.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, 3) or (h, w, 3), or channels first; a dict with the key
    `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io; Keras raises an error for images of integers.

    >>> layer = keras.layers.RandomSaturation((0.0, 0.0))
    >>> layer(np.array([[[100.0, 50.0, 50.0]]]), training=True)[0, 0].tolist()
    [100.0, 100.0, 100.0]
    """

    _mk_factor_bounds = (-1, 1)

    def _mk_draw(self, shape, seed):
        factor = self._mk_factors((batch_size(shape),), seed)
        return {"factor": factor / (1 - factor + epsilon())}

    def _mk_change(self, images, transformation):
        factor = per_image(transformation["factor"], axes=2)
        settings = {"value_range": self._mk_range, "data_format": self.data_format}
        return enhance.saturate(images, factor, **settings)


class RandomColorJitter(ColourLayer):
    """Change brightness, contrast, saturation and hue at random in training.

    The layers `RandomBrightness`, `RandomContrast`, `RandomSaturation` and `RandomHue`
    in this order; a factor of None leaves one out. In inference the images are returned
    as they are.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        brightness_factor: `factor` of `RandomBrightness`, or None.
        contrast_factor: `factor` of `RandomContrast`, or None.
        saturation_factor: `factor` of `RandomSaturation`, or None.
        hue_factor: `factor` of `RandomHue`, or None.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, 3) or (h, w, 3), or channels first; a dict with the key
    `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io; Keras does not pass the data format to the four layers.

    >>> layer = keras.layers.RandomColorJitter(brightness_factor=(0.2, 0.2))
    >>> layer(np.zeros((1, 1, 3)), training=True)[0, 0].tolist()
    [51.0, 51.0, 51.0]
    """

    _mk_config_names = (
        "value_range",
        "brightness_factor",
        "contrast_factor",
        "saturation_factor",
        "hue_factor",
        "seed",
    )

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
        self.value_range = check_value_range(value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        self._mk_set_seed(seed)

        def layer(cls, factor):
            if factor is None:
                return None
            return cls(
                factor,
                value_range=value_range,
                seed=seed,
                data_format=data_format,
                dtype=self.dtype_policy,
            )

        self.random_brightness = layer(RandomBrightness, brightness_factor)
        self.random_contrast = layer(RandomContrast, contrast_factor)
        self.random_saturation = layer(RandomSaturation, saturation_factor)
        self.random_hue = layer(RandomHue, hue_factor)

    def _mk_layers(self):
        layers = (self.random_brightness, self.random_contrast)
        layers += (self.random_saturation, self.random_hue)
        return [layer for layer in layers if layer is not None]

    def _mk_draw(self, shape, seed):
        source = self._mk_source(seed)
        return [layer._mk_draw(shape, source) for layer in self._mk_layers()]

    def _mk_change(self, images, transformation):
        if transformation is None:
            transformation = self._mk_draw(images.shape, None)
        for layer, draw in zip(self._mk_layers(), transformation, strict=True):
            images = layer.transform_images(images, draw)
        return images

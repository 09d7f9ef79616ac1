"""Layers that change the detail of images at random: sharpness, blur, levels, sign."""

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import (
    check_factor,
    check_value_range,
)
from minikeras.layers.preprocessing.image.colour_layer import (
    ColourLayer,
    batch_size,
    per_image,
)
from minikeras.layers.preprocessing.image.random_colour import _FactorLayer
from minikeras.ops import image_enhance as enhance


class RandomSharpness(_FactorLayer):
    """Smooth or sharpen images in training, by a random factor.

    y = clip(x + (1 - 2 f) * (smooth - x), low, high), with f uniform between the
    bounds, one for each image, and `smooth` the 3 x 3 mean with 5 times the weight in
    the middle. In inference the images are returned as they are, in the compute dtype.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f). 0
            gives smooth images, 0.5 the same ones, 1 sharper ones.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io; pixels beyond the border are 0.

    >>> layer = keras.layers.RandomSharpness((0.0, 0.0))
    >>> layer(np.full((1, 1, 1), 13.0), training=True).tolist()
    [[[5.0]]]
    """

    _mk_casts_in_inference = True

    def _mk_change(self, images, transformation):
        factor = per_image(jnp.asarray(transformation["factor"]) * 2)
        factor = factor.astype(self.compute_dtype)
        settings = {"value_range": self._mk_range, "axes": self._mk_axes}
        return enhance.sharpen(images, factor, **settings)


class RandomPosterization(_FactorLayer):
    """Keep only the highest bits of each pixel in training.

    y = x - x mod 2^(8 - b) on the scale 0..255, with a random int b in lower..upper - 1
    for each image, or b = lower if both are equal. In inference the images are returned
    as they are.

    Args:
        factor: int in 1..8, or pair (lower, upper) of them; a number f stands for
            (1, f).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io.

    >>> layer = keras.layers.RandomPosterization((2, 2))
    >>> layer(np.array([[[63.0], [64.0], [255.0]]]), training=True)[0, :, 0].tolist()
    [0.0, 64.0, 192.0]
    """

    _mk_factor_bounds = (1, 8)

    def _mk_draw(self, shape, seed):
        (low, high), n = self.factor, batch_size(shape)
        if low == high:
            bits = jnp.full((n,), low, "uint8")
        else:
            source = self._mk_source(seed)
            bits = random.randint((n,), low, high, dtype="uint8", seed=source)
        return {"shift_factor": 8 - bits}

    def _mk_change(self, images, transformation):
        shift = per_image(transformation["shift_factor"]).astype("uint8")
        return enhance.posterize(images, shift, value_range=self._mk_range)


class RandomInvert(ColourLayer):
    """Replace pixels by `high - x` in training, in randomly chosen images.

    The probability of each image is drawn between the bounds. In inference the images
    are returned as they are.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same, in the compute dtype in training.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io; for `low` other than 0 the result leaves the range, as in Keras.

    >>> layer = keras.layers.RandomInvert((1.0, 1.0))
    >>> layer(np.full((1, 1, 1), 5.0), training=True).tolist()
    [[[250.0]]]
    """

    _mk_factor_bounds = (0, 1)
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(
        self, factor=1.0, value_range=(0, 255), seed=None, data_format=None, **kwargs
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self.value_range = check_value_range(value_range)
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, seed):
        return {"apply_inversion": self._mk_chosen(batch_size(shape), seed)}

    def _mk_change(self, images, transformation):
        chosen = per_image(transformation["apply_inversion"])
        return jnp.where(chosen, self.value_range[1] - images, images)


def _window(kernel_size):
    """An odd number or a pair of them, as a pair."""
    pair = kernel_size if isinstance(kernel_size, (tuple, list)) else (kernel_size,) * 2
    odd = len(pair) == 2 and all(isinstance(k, (int, float)) and k % 2 for k in pair)
    if not odd:
        raise ValueError(
            "`kernel_size` must be an odd number, or a list of two odd numbers. "
            f"Received: kernel_size={kernel_size}"
        )
    return tuple(pair)


class RandomGaussianBlur(ColourLayer):
    """Blur randomly chosen images in training.

    A Gaussian exp(-½ (x² / σₓ² + y² / σ_y²)) with one random σₓ and σ_y for the batch.
    The probability of each image is drawn between the bounds. In inference the images
    are returned as they are, in the compute dtype.

    Args:
        factor: number in [0, 1], or pair of bounds of the probability; a number f
            stands for (0, f).
        kernel_size: odd int, or pair of them, width and height in pixels.
        sigma: number in [0, 1], or pair of bounds of σ in pixels; a number s stands for
            (0, s).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same.

    Raises:
        ValueError: an argument out of its range.

    Source: keras.io; pixels beyond the border are 0.

    >>> layer = keras.layers.RandomGaussianBlur((1.0, 1.0), sigma=(1.0, 1.0))
    >>> layer(np.ones((1, 1, 1)), training=True).tolist()
    [[[0.204...]]]
    """

    _mk_factor_bounds = (0, 1)
    _mk_casts_in_inference = True
    _mk_config_names = ("factor", "kernel_size", "sigma", "value_range", "seed")

    def __init__(
        self,
        factor=1.0,
        kernel_size=3,
        sigma=1.0,
        value_range=(0, 255),
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self.kernel_size = _window(kernel_size)
        self.sigma = check_factor(sigma, self._mk_factor_bounds, "sigma")
        self.value_range = check_value_range(value_range)
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, seed):
        chosen = self._mk_chosen(batch_size(shape), seed)
        settings = {"dtype": self.compute_dtype, "seed": self._mk_source(seed)}
        # Not 0: the Gaussian divides by it.
        sigma = random.uniform((2,), *self.sigma, **settings) + 1e-6
        return {"should_apply_blur": chosen, "blur_factor": sigma}

    def _mk_change(self, images, transformation):
        if transformation is None:
            return images
        return enhance.blur_where(
            images,
            per_image(transformation["should_apply_blur"]),
            jnp.asarray(transformation["blur_factor"]),
            value_range=self._mk_range,
            kernel_size=tuple(int(k) for k in self.kernel_size),
            data_format=self.data_format,
        )

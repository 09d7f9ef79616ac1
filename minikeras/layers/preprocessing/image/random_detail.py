"""Layers that change the detail of images at random: sharpness, blur, levels, sign."""

import jax.numpy as jnp

from minikeras import random
from minikeras.layers.preprocessing.image.arguments import check_factor
from minikeras.layers.preprocessing.image.colour_layer import (
    ColourLayer,
    FactorLayer,
    batch_size,
)
from minikeras.ops import image_enhance as enhance


class RandomSharpness(FactorLayer):
    """Smooth or sharpen images in training, by a random factor.

    y = clip(x + (1 - 2 f) * (smooth - x), low, high), with f uniform between the
    bounds, one for each image, and `smooth` the 3 x 3 mean with 5 times the weight in
    the middle (0 beyond the border). In inference nothing changes but the dtype.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f). 0
            gives smooth images, 0.5 the same ones, 1 sharper ones.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomSharpness((0.0, 0.0))
    >>> layer(np.full((1, 1, 1), 13.0), training=True).tolist()
    [[[5.0]]]
    """

    _mk_function = staticmethod(enhance.sharpen)
    _mk_casts_in_inference = True


class RandomPosterization(FactorLayer):
    """Keep only the highest bits of each pixel in training.

    y = x - x mod 2^(8 - b) on the scale 0..255, with a random int b in lower..upper - 1
    for each image, or b = lower if both are equal. In inference nothing changes.

    Args:
        factor: int f in 1..8, which stands for (1, f), or pair (lower, upper).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomPosterization((2, 2))
    >>> layer(np.array([[[63.0], [64.0], [255.0]]]), training=True)[0, :, 0].tolist()
    [0.0, 64.0, 192.0]
    """

    _mk_function = staticmethod(enhance.posterize)
    _mk_factor_bounds = (1, 8)

    def _mk_draw(self, shape, source):
        (low, high), n = self.factor, batch_size(shape)
        if low == high:
            return {"shift_factor": jnp.full((n,), 8 - low, "uint8")}
        bits = random.randint((n,), low, high, dtype="uint8", seed=source)
        return {"shift_factor": 8 - bits}


class RandomInvert(ColourLayer):
    """Replace pixels by `high - x` in training, in randomly chosen images.

    The probability of each image is drawn between the bounds. In inference nothing
    changes.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> layer = keras.layers.RandomInvert((1.0, 1.0))
    >>> layer(np.full((1, 1, 1), 5.0), training=True).tolist()
    [[[250.0]]]
    """

    _mk_function = staticmethod(enhance.invert)
    _mk_config_names = ("factor", "value_range", "seed")

    def __init__(
        self, factor=1.0, value_range=(0, 255), seed=None, data_format=None, **kwargs
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_random(factor, value_range, seed)

    def _mk_draw(self, shape, source):
        return {"apply_inversion": self._mk_chosen(batch_size(shape), source)}


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
    The probability of each image is drawn between the bounds. In inference nothing
    changes but the dtype.

    Args:
        factor: number in [0, 1], or pair of bounds of the probability; a number f
            stands for (0, f).
        kernel_size: odd int, or pair of them, width and height in pixels.
        sigma: number in [0, 1], or pair of bounds of σ in pixels; a number s stands for
            (0, s).
        value_range: pair (low, high), the least and the greatest value of a pixel.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: an argument out of its range.

    >>> layer = keras.layers.RandomGaussianBlur((1.0, 1.0), sigma=(1.0, 1.0))
    >>> layer(np.ones((1, 1, 1)), training=True).tolist()
    [[[0.204...]]]
    """

    _mk_function = staticmethod(enhance.blur_where)
    _mk_casts_in_inference = True
    _mk_constants = ("kernel_size", "value_range", "data_format")
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
        self._mk_set_random(factor, value_range, seed)
        self.kernel_size = _window(kernel_size)
        self.sigma = check_factor(sigma, self._mk_factor_bounds, "sigma")

    def _mk_draw(self, shape, source):
        chosen = self._mk_chosen(batch_size(shape), source)
        # Not 0: the Gaussian divides by it.
        sigma = self._mk_uniform((2,), self.sigma, source) + 1e-6
        return {"should_apply_blur": chosen, "blur_factor": sigma}

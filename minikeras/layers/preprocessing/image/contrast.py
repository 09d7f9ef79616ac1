"""Layers that spread the values of images: contrast, histograms, solarization."""

import jax.numpy as jnp

from minikeras import random
from minikeras.core.checks import int_tuple, is_number, positive_int
from minikeras.layers.preprocessing.image.arguments import check_value_range
from minikeras.layers.preprocessing.image.colour_layer import (
    ColourLayer,
    factor_shape,
    sorted_range,
)
from minikeras.ops.image_enhance import auto_contrast, clahe, equalize, solarize


class _AlwaysLayer(ColourLayer):
    """Base of the layers that work in inference as in training."""

    def transform_images(self, images, transformation=None, training=True):
        """Change the pixels of a batch, in inference too.

        Args:
            images: array of rank 4.
            transformation: not used.
            training: not used.
        """
        return self._mk_change(jnp.asarray(images), transformation)


class AutoContrast(_AlwaysLayer):
    """Stretch each channel of each image linearly to the whole range of values.

    y = low + (x - min x) / (max x - min x) * (high - low). A channel of one value stays
    as it is. The layer works in training and in inference.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same.

    Raises:
        ValueError: an invalid value range.

    Source: keras.io; with channels first, Keras takes the extremes of each column over
    the channels, this layer those of each channel.

    >>> x = np.array([[[10.0], [20.0], [60.0]]])
    >>> keras.layers.AutoContrast()(x)[0, :, 0].tolist()
    [0.0, 51.0, 255.0]
    """

    _mk_config_names = ("value_range",)

    def __init__(self, value_range=(0, 255), **kwargs):
        super().__init__(**kwargs)
        self.value_range = sorted_range(value_range)

    def _mk_change(self, images, transformation):
        images = images.astype(self.compute_dtype)
        return auto_contrast(images, value_range=self._mk_range, axes=self._mk_axes)


class Equalization(ColourLayer):
    """Give the values of each channel a histogram that is as flat as possible.

    y = low + (high - low) * F(x), with the cumulative frequency F of the channel's
    values in the whole batch. In inference the images are returned as they are.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        bins: int, bins of the histogram.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same.

    Raises:
        ValueError: an invalid value range or number of bins.

    Source: https://en.wikipedia.org/wiki/Histogram_equalization.

    >>> x = np.array([[[10.0], [11.0], [12.0], [200.0]]])
    >>> keras.layers.Equalization()(x, training=True)[0, :, 0].tolist()
    [0.0, 85.0, 170.0, 255.0]
    """

    _mk_config_names = ("bins", "value_range")

    def __init__(self, value_range=(0, 255), bins=256, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.bins = positive_int(bins, "bins")
        self.value_range = sorted_range(value_range)

    def _mk_change(self, images, transformation):
        settings = {"bins": self.bins, "axes": self._mk_axes}
        return equalize(images, value_range=self._mk_range, **settings)


class ContrastLimitedAdaptiveHistogramEqualization(_AlwaysLayer):
    """Equalize the histograms of tiles of each image, with limited contrast (CLAHE).

    Counts above `clip_limit` times the mean count of a tile are cut off and spread over
    all 256 bins. A pixel's new value is the bilinear mean of those that its four
    nearest tiles give. The layer works in training and in inference.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        clip_limit: number >= 0; 0 does not limit the contrast.
        tile_grid_size: pair of ints, rows and columns of tiles.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same, in the dtype of the images.

    Raises:
        ValueError: an invalid argument.

    Source: Zuiderveld 1994, Graphics Gems IV, 474-485.

    >>> layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization()
    >>> layer(np.full((16, 16, 1), 7.0)).shape
    (16, 16, 1)
    """

    _mk_config_names = ("value_range", "clip_limit", "tile_grid_size")

    def __init__(
        self,
        value_range=(0, 255),
        clip_limit=4.0,
        tile_grid_size=(8, 8),
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = check_value_range(value_range)
        if not is_number(clip_limit):
            raise ValueError(f"`clip_limit` must be a number, got {clip_limit!r}.")
        self.clip_limit = clip_limit
        int_tuple(tile_grid_size, 2, "tile_grid_size")
        self.tile_grid_size = tile_grid_size

    def _mk_change(self, images, transformation):
        grid = int_tuple(self.tile_grid_size, 2, "tile_grid_size")
        settings = {"clip_limit": float(self.clip_limit), "grid": grid}
        first = self.data_format == "channels_first"
        images = jnp.moveaxis(images, -3, -1) if first else images
        images = clahe(images, value_range=self._mk_range, **settings)
        return jnp.moveaxis(images, -1, -3) if first else images


def _unit_pair(factor, name):
    """A number f as (0, f), a pair in order; ValueError unless within [0, 1]."""
    values = factor if isinstance(factor, (tuple, list)) else (0, factor)
    if len(values) != 2 or not all(is_number(v) and 0 <= v <= 1 for v in values):
        raise ValueError(
            "The `addition_factor` and `threshold_factor` arguments should be a number "
            "(or a list of two numbers) in the range [0, 1]. "
            f"Received: {name}={factor}"
        )
    return tuple(sorted(values))


class Solarization(ColourLayer):
    """Add a random amount to the pixels, then invert those above a random threshold.

    On the scale 0..255: x = min(x + a, 255); y = x if x < t, else 255 - x. Each image
    has its own a in [a0, 255 a1) and t in [t0, 255 t1), with the pairs below. In
    inference the images are returned as they are, in the compute dtype.

    Args:
        addition_factor: number in [0, 1], or pair (a0, a1) of them; a number a1 stands
            for (0, a1).
        threshold_factor: number in [0, 1], or pair (t0, t1) of them.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `data_format`, `name`, `dtype` and the other
            arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    Source: keras.io; the lower bounds are not scaled by 255, as in Keras.

    >>> keras.layers.Solarization()(np.full((1, 1, 1), 5.0), training=True).tolist()
    [[[250.0]]]
    """

    _mk_casts_in_inference = True
    _mk_config_names = ("value_range", "addition_factor", "threshold_factor", "seed")

    def __init__(
        self,
        addition_factor=0.0,
        threshold_factor=0.0,
        value_range=(0, 255),
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._mk_set_seed(seed)
        self.addition_factor = _unit_pair(addition_factor, "addition_factor")
        self.threshold_factor = _unit_pair(threshold_factor, "threshold_factor")
        self.value_range = sorted_range(value_range)

    def _mk_draw(self, shape, seed):
        def draw(low, high):
            source = self._mk_source(seed)
            shape_, dtype = factor_shape(shape), self.compute_dtype
            return random.uniform(shape_, low, high * 255, dtype=dtype, seed=source)

        additions = draw(*self.addition_factor)
        return {"additions": additions, "thresholds": draw(*self.threshold_factor)}

    def _mk_change(self, images, transformation):
        if transformation is None:
            return images
        return solarize(images, **transformation, value_range=self._mk_range)

"""Layers that spread the values of images: contrast, histograms, solarization."""

from minikeras.core.checks import int_tuple, positive_int
from minikeras.layers.preprocessing.image.arguments import (
    check_factor,
    check_value_range,
)
from minikeras.layers.preprocessing.image.colour_layer import (
    ColourLayer,
    factor_shape,
    sorted_range,
)
from minikeras.ops import image_enhance as enhance


class AutoContrast(ColourLayer):
    """Stretch each channel of each image linearly to the whole range of values.

    y = low + (x - min x) / (max x - min x) * (high - low). A channel of one value stays
    as it is. The layer works in training and in inference.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        **kwargs: `bounding_box_format`, `data_format`, and those of `keras.Layer`.

    Raises:
        ValueError: an invalid value range.

    >>> x = np.array([[[10.0], [20.0], [60.0]]])
    >>> keras.layers.AutoContrast()(x)[0, :, 0].tolist()
    [0.0, 51.0, 255.0]
    """

    _mk_function = staticmethod(enhance.auto_contrast)
    _mk_is_random = False
    _mk_works_in_inference = True
    _mk_config_names = ("value_range",)

    def __init__(self, value_range=(0, 255), **kwargs):
        super().__init__(**kwargs)
        self.value_range = sorted_range(value_range)


class Equalization(ColourLayer):
    """Give the values of each channel a histogram that is as flat as possible.

    y = low + (high - low) * F(x), with the cumulative frequency F of the channel's
    values in the whole batch. In inference nothing changes.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        bins: int, bins of the histogram.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: an invalid value range or number of bins.

    Source: https://en.wikipedia.org/wiki/Histogram_equalization.

    >>> x = np.array([[[10.0], [11.0], [12.0], [200.0]]])
    >>> keras.layers.Equalization()(x, training=True)[0, :, 0].tolist()
    [0.0, 85.0, 170.0, 255.0]
    """

    _mk_function = staticmethod(enhance.equalize)
    _mk_is_random = False
    _mk_constants = ("bins", "value_range", "data_format")
    _mk_config_names = ("bins", "value_range")

    def __init__(self, value_range=(0, 255), bins=256, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.bins = positive_int(bins, "bins")
        self.value_range = sorted_range(value_range)


class ContrastLimitedAdaptiveHistogramEqualization(ColourLayer):
    """Equalize the histograms of tiles of each image, with limited contrast (CLAHE).

    Counts above `clip_limit` times the mean count of a tile are cut off and spread over
    all 256 bins. A pixel's new value is the bilinear mean of those that its four
    nearest tiles give. The layer works in training and in inference.

    Args:
        value_range: pair (low, high), the least and the greatest value of a pixel.
        clip_limit: number >= 0; 0 does not limit the contrast.
        tile_grid_size: pair of ints, rows and columns of tiles.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: an invalid argument.

    Source: Zuiderveld 1994, Graphics Gems IV, 474-485.

    >>> layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization()
    >>> layer(np.full((16, 16, 1), 7.0)).shape
    (16, 16, 1)
    """

    _mk_function = staticmethod(enhance.clahe)
    _mk_is_random = False
    _mk_works_in_inference = True
    _mk_keeps_dtype = True
    _mk_config_names = ("value_range", "clip_limit", "tile_grid_size")
    _mk_constants = (*_mk_config_names, "data_format")

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
        if not isinstance(clip_limit, (int, float)):
            raise ValueError(f"`clip_limit` must be a number, got {clip_limit!r}.")
        self.clip_limit = clip_limit
        self.tile_grid_size = int_tuple(tile_grid_size, 2, "tile_grid_size")


def _unit_pair(factor, name):
    """A number f as (0, f), a pair in order; ValueError unless within [0, 1]."""
    for value in factor if isinstance(factor, (tuple, list)) else ():
        check_factor(value, (0, 1), name)
    return check_factor(factor, (0, 1), name)


class Solarization(ColourLayer):
    """Add a random amount to the pixels, then invert those above a random threshold.

    On the scale 0..255: x = min(x + a, 255); y = x if x < t, else 255 - x. Each image
    has its own a in [a0, 255 a1) and t in [t0, 255 t1), with the pairs below. In
    inference nothing changes but the dtype.

    Args:
        addition_factor: number in [0, 1], or pair (a0, a1) of them; a number a1 stands
            for (0, a1).
        threshold_factor: number in [0, 1], or pair (t0, t1) of them.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `data_format`, and those of `keras.Layer`.

    Raises:
        ValueError: a factor out of its range, or an invalid value range.

    >>> keras.layers.Solarization()(np.full((1, 1, 1), 5.0), training=True).tolist()
    [[[250.0]]]
    """

    _mk_function = staticmethod(enhance.solarize)
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

    def _mk_draw(self, shape, source):
        factors = {
            "additions": self.addition_factor,
            "thresholds": self.threshold_factor,
        }
        return {
            name: self._mk_uniform(factor_shape(shape), (low, high * 255), source)
            for name, (low, high) in factors.items()
        }

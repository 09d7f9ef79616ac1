"""Layers that erase parts of images, or mix images with others of the batch."""

import jax.numpy as jnp

from minikeras import random
from minikeras.core.checks import is_number, positive_number
from minikeras.layers.preprocessing.image.arguments import check_factor, image_axes
from minikeras.layers.preprocessing.image.colour_layer import ColourLayer, batch_size
from minikeras.ops import image_enhance as enhance


class _BoxLayer(ColourLayer):
    """Base of the layers that replace the pixels of a random box in each image."""

    _mk_constants = ()
    _mk_casts_in_inference = True

    def _mk_bounds(self, n, length, ratio, source):
        """Start and end of `ratio` times the length, at random places."""
        extent = jnp.asarray(ratio * length, self.compute_dtype)
        start = self._mk_uniform((n,), (0.0, 1.0), source) * (length - extent)
        return start, start + extent

    def _mk_box(self, shape, wide, high, source):
        """(masks, share of the pixels within) of boxes of these ratios."""
        n, layout = batch_size(shape), self.data_format
        height, width = (shape[axis] for axis in image_axes(layout))
        left, right = self._mk_bounds(n, width, wide, source)
        top, bottom = self._mk_bounds(n, height, high, source)
        share = (right - left) * (bottom - top) / (width * height)
        sizes = {"height": height, "width": width, "data_format": layout}
        return enhance.box_masks(top, bottom, left, right, **sizes), share


class RandomErasing(_BoxLayer):
    """Fill a random box of randomly chosen images in training.

    The box has a share √s of the width and √t of the height, with s and t uniform
    between the bounds of `scale`. The probability of each image is drawn between the
    bounds of `factor`. In inference nothing changes but the dtype.

    Args:
        factor: number in [0, 1], or pair of bounds of the probability; a number f
            stands for (0, f).
        scale: number in [0, 1], or pair of bounds; a number s stands for (0, s).
        fill_value: number, list of 3 numbers for the channels, or None for normal
            random numbers times the highest value; clipped to the value range.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Raises:
        ValueError: an argument out of its range.

    Source: Zhong et al. 2017, https://arxiv.org/abs/1708.04896.

    >>> layer = keras.layers.RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=9)
    >>> layer(np.ones((1, 2, 1)), training=True).tolist()
    [[[9.0], [9.0]]]
    """

    _mk_function = staticmethod(enhance.erase)
    _mk_config_names = ("factor", "scale", "fill_value", "value_range", "seed")

    def __init__(
        self,
        factor=1.0,
        scale=(0.02, 0.33),
        fill_value=None,
        value_range=(0, 255),
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._mk_set_random(factor, value_range, seed)
        self.scale = check_factor(scale, self._mk_factor_bounds, "scale")
        three = isinstance(fill_value, (tuple, list)) and len(fill_value) == 3
        if not (fill_value is None or three or is_number(fill_value)):
            raise ValueError(
                "The `fill_value` argument should be a number (or a list of three "
                f"numbers). Received: fill_value={fill_value}"
            )
        self.fill_value = fill_value

    def _mk_fill(self, shape, source):
        dtype = self.compute_dtype
        if self.fill_value is None:
            fill = random.normal(shape, dtype=dtype, seed=source) * self.value_range[1]
        else:
            fill = jnp.asarray(self.fill_value, dtype)
            if fill.ndim and self.data_format == "channels_first":
                fill = fill[:, None, None]
        return jnp.clip(fill, *self.value_range)

    def _mk_draw(self, shape, source):
        n = batch_size(shape)
        wide, high = jnp.sqrt(self._mk_uniform((n, 2), self.scale, source)).T
        masks, _ = self._mk_box(shape, wide, high, source)
        chosen = self._mk_chosen(n, source)
        fill = self._mk_fill(shape, source)
        return {"apply_erasing": chosen, "batch_masks": masks, "fill_value": fill}


class CutMix(_BoxLayer):
    """Replace a random box of each image by that of another image in training.

    Labels are mixed by area: y = w * y + (1 - w) * y', with w the share of the image
    outside the box. The box has √(1 - v) of width and height, v from Beta(a, a), with a
    uniform between the bounds. In inference, and without a batch, nothing changes but
    the dtype.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f).
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Shape: (batch, h, w, channels), or a dict of `images` and any of `labels` (batch,
    classes) and `segmentation_masks`.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: the input has bounding boxes.

    Source: Yun et al. 2019, https://arxiv.org/abs/1905.04899.

    >>> data = {"images": np.ones((2, 4, 4, 1)), "labels": np.eye(2)}
    >>> keras.layers.CutMix(seed=1)(data, training=True)["labels"].sum(1).tolist()
    [1.0, 1.0]
    """

    _mk_function = staticmethod(enhance.paste)
    _mk_change_masks = ColourLayer._mk_change
    _mk_config_names = ("factor", "seed")

    def __init__(self, factor=1.0, seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, source):
        if len(shape) == 3:
            return None
        n, dtype = shape[0], self.compute_dtype
        alpha = self._mk_uniform((), self.factor, source) + 1e-6
        weight = random.beta((n,), alpha, alpha, dtype=dtype, seed=source)
        ratio = jnp.sqrt(1.0 - weight)
        masks, share = self._mk_box(shape, ratio, ratio, source)
        order = random.shuffle(jnp.arange(n, dtype="int32"), seed=source)
        draws = {"permutation_order": order, "batch_masks": masks}
        return {**draws, "mix_weight": enhance.per_image(1.0 - share)}

    def _mk_change_labels(self, labels, transformation):
        names = ("mix_weight", "permutation_order")
        return enhance.blend(labels, *(jnp.asarray(transformation[n]) for n in names))

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Raise NotImplementedError: boxes cannot be cut."""
        raise NotImplementedError(
            "CutMix does not support bounding boxes. Take 'bounding_boxes' out of the "
            "inputs, or use MixUp."
        )


class MixUp(ColourLayer):
    """Blend each image with another one of the batch in training.

    y = w * x + (1 - w) * x', with w from Beta(alpha, alpha), one for each image; the
    same for labels and masks. An image gets the boxes of both. In inference nothing
    changes.

    Args:
        alpha: number > 0; small ones blend little.
        data_format: `"channels_last"`, `"channels_first"`, or None: the global one.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, and those of `keras.Layer`.

    Shape: (batch, h, w, channels), or a dict of `images` and any of `labels` (batch,
    classes), `bounding_boxes` and `segmentation_masks`; then twice as many boxes.

    Raises:
        ValueError: alpha is not > 0.

    Source: Zhang et al. 2017, https://arxiv.org/abs/1710.09412; boxes: Zhang et al.
    2019, https://arxiv.org/abs/1902.04103.

    >>> data = {"images": np.ones((2, 4, 4, 1)), "labels": np.eye(2)}
    >>> keras.layers.MixUp(seed=1)(data, training=True)["labels"].sum(1).tolist()
    [1.0, 1.0]
    """

    _mk_function = staticmethod(enhance.blend)
    _mk_change_labels = _mk_change_masks = ColourLayer._mk_change
    _mk_constants = ()
    _mk_draws_in_inference = True
    _mk_config_names = ("alpha", "seed")

    def __init__(self, alpha=0.2, data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.alpha = positive_number(alpha, "alpha")
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, source):
        n, alpha = batch_size(shape), self.alpha
        order = random.shuffle(jnp.arange(n, dtype="int32"), seed=source)
        weight = random.beta((n,), alpha, alpha, seed=source)
        return {"mix_weight": weight, "permutation_order": order}

    def _mk_change(self, images, transformation):
        batch = images.reshape(-1, *images.shape[-3:])  # also of one image
        return super()._mk_change(batch, transformation)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Join the boxes of both images, and their labels."""
        if not training:
            return bounding_boxes
        order = jnp.asarray(transformation["permutation_order"])

        def joined(x):
            x = jnp.asarray(x)
            return jnp.concatenate([x, jnp.take(x, order, axis=0)], min(1, x.ndim - 1))

        return {key: joined(x) for key, x in bounding_boxes.items()}

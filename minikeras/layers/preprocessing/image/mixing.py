"""Layers that erase parts of images, or mix images with others of the batch."""

import jax
import jax.numpy as jnp

from minikeras import random
from minikeras.core.checks import is_number
from minikeras.layers.preprocessing.image.arguments import (
    check_factor,
    check_value_range,
)
from minikeras.layers.preprocessing.image.colour_layer import (
    ColourLayer,
    batch_size,
    per_image,
)
from minikeras.ops.image_enhance import box_masks


@jax.jit
def blend(x, weight, order):
    """weight * x + (1 - weight) * x[order], with one weight for each image."""
    weight = per_image(weight, x.ndim - 1)
    return weight * x + (1.0 - weight) * jnp.take(x, order, axis=0)


@jax.jit
def erase(images, masks, chosen, fill):
    """Fill the masked pixels of the chosen images."""
    return jnp.where(per_image(chosen) & masks, fill, images)


class _BoxLayer(ColourLayer):
    """Base of the layers that replace the pixels of a random box in each image."""

    _mk_factor_bounds = (0, 1)
    _mk_casts_in_inference = True

    def _mk_bounds(self, n, length, ratio, seed):
        """Start and end of `ratio` times the length, at random places."""
        dtype = self.compute_dtype
        extent = jnp.asarray(ratio * length, dtype)
        start = random.uniform((n,), dtype=dtype, seed=self._mk_source(seed))
        start = start * (length - extent)
        return start, start + extent

    def _mk_box(self, shape, wide, high, seed):
        """(masks, share of the pixels within) of boxes of these ratios."""
        n, axes = batch_size(shape), self._mk_axes
        height, width = (shape[axis] for axis in axes)
        left, right = self._mk_bounds(n, width, wide, seed)
        top, bottom = self._mk_bounds(n, height, high, seed)
        sizes = {"height": height, "width": width}
        masks = box_masks(top, bottom, left, right, **sizes, axes=axes)
        return masks, (right - left) * (bottom - top) / (width * height)


class RandomErasing(_BoxLayer):
    """Fill a random box of randomly chosen images in training.

    The box has a share √s of the width and √t of the height, with s and t uniform
    between the bounds of `scale`. The probability of each image is drawn between the
    bounds of `factor`. In inference the images are returned as they are, in the compute
    dtype.

    Args:
        factor: number in [0, 1], or pair of bounds of the probability; a number f
            stands for (0, f).
        scale: number in [0, 1], or pair of bounds; a number s stands for (0, s).
        fill_value: number, list of 3 numbers for the channels, or None for normal
            random numbers times the highest value; clipped to the value range.
        value_range: pair (low, high), the least and the greatest value of a pixel.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or (h, w, channels), or channels first; a dict
    with the key `images` too. Output shape: the same.

    Raises:
        ValueError: an argument out of its range.

    Source: Zhong et al. 2017, https://arxiv.org/abs/1708.04896.

    >>> layer = keras.layers.RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=9)
    >>> layer(np.ones((1, 2, 1)), training=True).tolist()
    [[[9.0], [9.0]]]
    """

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
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self.scale = check_factor(scale, self._mk_factor_bounds, "scale")
        three = isinstance(fill_value, (tuple, list)) and len(fill_value) == 3
        if not (fill_value is None or three or is_number(fill_value)):
            raise ValueError(
                "The `fill_value` argument should be a number (or a list of three "
                f"numbers). Received: fill_value={fill_value}"
            )
        self.fill_value = fill_value
        self.value_range = check_value_range(value_range)
        self._mk_set_seed(seed)

    def _mk_fill(self, shape, seed):
        dtype = self.compute_dtype
        if self.fill_value is None:
            fill = random.normal(shape, dtype=dtype, seed=self._mk_source(seed))
            fill = fill * self.value_range[1]
        else:
            fill = jnp.asarray(self.fill_value, dtype)
            if fill.ndim and self.data_format == "channels_first":
                fill = fill[:, None, None]
        return jnp.clip(fill, *self.value_range)

    def _mk_draw(self, shape, seed):
        n, dtype = batch_size(shape), self.compute_dtype
        source = self._mk_source(seed)
        shares = random.uniform((n, 2), *self.scale, dtype=dtype, seed=source)
        wide, high = jnp.sqrt(shares).T
        masks, _ = self._mk_box(shape, wide, high, seed)
        chosen = self._mk_chosen(n, seed)
        fill = self._mk_fill(shape, seed)
        return {"apply_erasing": chosen, "batch_masks": masks, "fill_value": fill}

    def _mk_change(self, images, transformation):
        keys = ("batch_masks", "apply_erasing", "fill_value")
        masks, chosen, fill = (jnp.asarray(transformation[key]) for key in keys)
        return erase(images, masks, chosen, fill.astype(images.dtype))


class CutMix(_BoxLayer):
    """Replace a random box of each image by that of another image in training.

    Labels are mixed by area: y = w * y + (1 - w) * y', with w the share of the image
    outside the box. The box has √(1 - v) of width and height, v from Beta(a, a), with a
    uniform between the bounds. Single images, and those in inference, are returned as
    they are, in the compute dtype.

    Args:
        factor: number in [0, 1], or pair of bounds; a number f stands for (0, f).
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, h, w, channels) or channels first; or a dict of `images` and
    any of `labels` (batch, classes) and `segmentation_masks`. Output shape: the same.

    Raises:
        ValueError: a factor out of its range.
        NotImplementedError: the input has bounding boxes.

    Source: Yun et al. 2019, https://arxiv.org/abs/1905.04899.

    >>> data = {"images": np.ones((2, 4, 4, 1)), "labels": np.eye(2)}
    >>> keras.layers.CutMix(seed=1)(data, training=True)["labels"].sum(1).tolist()
    [1.0, 1.0]
    """

    _mk_config_names = ("factor", "seed")

    def __init__(self, factor=1.0, seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.factor = check_factor(factor, self._mk_factor_bounds)
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, seed):
        if len(shape) == 3:
            return None
        n, source, dtype = shape[0], self._mk_source(seed), self.compute_dtype
        alpha = self._mk_factors((), seed, dtype=dtype) + 1e-6
        weight = random.beta((n,), alpha, alpha, dtype=dtype, seed=source)
        ratio = jnp.sqrt(1.0 - weight)
        masks, area = self._mk_box(shape, ratio, ratio, seed)
        order = random.shuffle(jnp.arange(n, dtype="int32"), seed=source)
        mixing = {"batch_masks": masks, "mix_weight": per_image(1.0 - area)}
        return {"permutation_order": order, **mixing}

    def _mk_change(self, images, transformation):
        if transformation is None:
            return images
        others = jnp.take(images, jnp.asarray(transformation["permutation_order"]), 0)
        return jnp.where(jnp.asarray(transformation["batch_masks"]), others, images)

    def transform_labels(self, labels, transformation, training=True):
        """Mix the labels by area."""
        if not training or transformation is None:
            return labels
        order = jnp.asarray(transformation["permutation_order"])
        return blend(jnp.asarray(labels), transformation["mix_weight"], order)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Raise NotImplementedError: boxes cannot be cut."""
        raise NotImplementedError(
            "CutMix does not support bounding boxes. Take 'bounding_boxes' out of the "
            "inputs, or use MixUp."
        )

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Replace the same box as in the images."""
        masks = jnp.asarray(segmentation_masks)
        return self._mk_change(masks, transformation) if training else masks


class MixUp(ColourLayer):
    """Blend each image with another one of the batch in training.

    y = w * x + (1 - w) * x', with w from Beta(alpha, alpha), one for each image; the
    same for labels and masks. An image gets the boxes of both. In inference everything
    is returned as it is.

    Args:
        alpha: number > 0; small ones blend little.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `bounding_box_format`, `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Input shape: (batch, h, w, channels) or channels first; or a dict of `images` and
    any of `labels` (batch, classes), `bounding_boxes` and `segmentation_masks`. Output
    shape: the same, with twice as many boxes.

    Raises:
        ValueError: alpha is not > 0.

    Source: Zhang et al. 2017, https://arxiv.org/abs/1710.09412; boxes: Zhang et al.
    2019, https://arxiv.org/abs/1902.04103.

    >>> data = {"images": np.ones((2, 4, 4, 1)), "labels": np.eye(2)}
    >>> keras.layers.MixUp(seed=1)(data, training=True)["labels"].sum(1).tolist()
    [1.0, 1.0]
    """

    _mk_draws_in_inference = True
    _mk_config_names = ("alpha", "seed")

    def __init__(self, alpha=0.2, data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        if not is_number(alpha) or alpha <= 0:
            raise ValueError(f"`alpha` must be a number > 0, got {alpha!r}.")
        self.alpha = alpha
        self._mk_set_seed(seed)

    def _mk_draw(self, shape, seed):
        n, source = batch_size(shape), self._mk_source(seed)
        order = random.shuffle(jnp.arange(n, dtype="int32"), seed=source)
        weight = random.beta((n,), self.alpha, self.alpha, seed=source)
        return {"mix_weight": weight, "permutation_order": order}

    def _mk_blend(self, x, transformation, dtype):
        weight = jnp.asarray(transformation["mix_weight"], dtype)
        order = jnp.asarray(transformation["permutation_order"])
        return blend(jnp.asarray(x), weight, order)

    def _mk_change(self, images, transformation):
        return self._mk_blend(images, transformation, images.dtype)

    def transform_labels(self, labels, transformation, training=True):
        """Blend the labels."""
        return self._mk_blend(labels, transformation, None) if training else labels

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Join the boxes of both images."""
        if not training:
            return bounding_boxes
        order = jnp.asarray(transformation["permutation_order"])

        def joined(x):
            x = jnp.asarray(x)
            return jnp.concatenate([x, jnp.take(x, order, axis=0)], min(1, x.ndim - 1))

        return {key: joined(x) for key, x in bounding_boxes.items()}

    def transform_segmentation_masks(
        self, segmentation_masks, transformation, training=True
    ):
        """Blend the masks."""
        return self.transform_labels(segmentation_masks, transformation, training)

"""Arguments of the image layers: checked, in one form; axes and ranges of pixels."""

import jax.numpy as jnp
import numpy as np


def image_axes(data_format):
    """The axes of height and width, counted from the last one."""
    return (-2, -1) if data_format == "channels_first" else (-3, -2)


def check_factor(factor, bounds, name="factor", strict=False):
    """A number, or a pair of them, as (lower, upper) within the bounds.

    A number f stands for (-f, f), cut off at the lower bound. A pair must overlap the
    bounds, or be within them if `strict`.

    Raises:
        ValueError: no number and no pair, or out of the bounds.
    """
    low, high = bounds
    pair = isinstance(factor, (tuple, list))
    values = factor if pair else (factor,)
    wrong = not all(isinstance(v, (int, float, np.number)) for v in values)
    wrong = wrong or (pair and len(values) != 2)
    # As in Keras, a pair need only overlap the range: scripts blur with sigma=(0.1, 2).
    first, last = (min, max) if pair and not strict else (max, min)
    if wrong or first(values) > high or last(values) < low:
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in "
            f"the range [{low}, {high}]. Received: {name}={factor}"
        )
    if pair:
        return tuple(sorted(factor))
    return max(-abs(factor), low), abs(factor)


def check_mode(name, value, allowed):
    """NotImplementedError, as Keras raises it, for an unknown way to interpolate."""
    if value not in allowed:
        raise NotImplementedError(
            f"Unknown `{name}` {value}. Expected one of {tuple(allowed)}."
        )


def check_value_range(value_range):
    """A pair of numbers (lowest, highest) as a tuple.

    Raises:
        ValueError: something else.
    """
    pair = isinstance(value_range, (tuple, list)) and len(value_range) == 2
    if not pair or value_range[0] >= value_range[1]:
        raise ValueError(
            "The `value_range` argument should be a list of two numbers, the lowest "
            f"and the highest value of a pixel. Received: value_range={value_range}"
        )
    return value_range


def change_value_range(images, source, target, dtype="float32"):
    """Map pixel values linearly from one range to another, (lowest, highest) each.

    Equal ranges return the images as they are, in their own dtype.
    """
    if tuple(source) == tuple(target):
        return images
    (a, b), (c, d) = (jnp.asarray(pair, dtype) for pair in (source, target))
    return (images.astype(dtype) - a) / (b - a) * (d - c) + c

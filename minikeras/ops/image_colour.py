"""Colour spaces of images."""

import jax.numpy as jnp

from minikeras.ops.convert import as_float
from minikeras.ops.image_layout import image_op

__all__ = [
    "hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv",
]  # fmt: skip

# Luma of red, green and blue (ITU-R BT.601), with the digits that Keras has.
_LUMA = (0.2989, 0.5870, 0.1140)


@image_op(name="RGBToGrayscale")
def rgb_to_grayscale(images, data_format=None):
    """0.2989 red + 0.5870 green + 0.1140 blue.

    Args:
        images: (h, w, 3) or (n, h, w, 3) array, or channels first. One channel is
            returned as it is.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of one channel and the dtype of `images`.

    Raises:
        ValueError: there are other than 1 or 3 channels.

    >>> rgb_to_grayscale([[[100, 0, 0]]]).tolist()
    [[[29]]]
    """
    if images.shape[-1] == 1:
        return images
    if images.shape[-1] != 3:
        raise ValueError(
            "rgb_to_grayscale: Invalid channel size: expected 3 (RGB) or 1 "
            f"(Grayscale). Got {images.shape[-1]}."
        )
    # Integers are weighted as floats and truncated, as in Keras: (100, 0, 0) gives 29.
    wide = as_float(images)
    grey = jnp.tensordot(wide, jnp.array(_LUMA, wide.dtype), axes=(-1, -1))
    return grey[..., None].astype(images.dtype)


def _parts(function, images):
    """Float images -> their three channels."""
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise ValueError(
            f"{function}: Invalid images dtype: expected float dtype. Got "
            f"images.dtype={images.dtype}; scale to [0, 1] first."
        )
    if images.shape[-1] != 3:
        raise ValueError(
            f"{function}: Input images must have 3 channels, but received images with "
            f"{images.shape[-1]} channels."
        )
    return images[..., 0], images[..., 1], images[..., 2]


@image_op(name="RGBToHSV")
def rgb_to_hsv(images, data_format=None):
    """Convert red, green, blue in [0, 1] to hue, saturation, value in [0, 1].

    Args:
        images: (h, w, 3) or (n, h, w, 3) float array, or channels first.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the shape and dtype of `images`.

    Raises:
        ValueError: the images are not of floats, or have not 3 channels.

    >>> rgb_to_hsv([[[0.0, 0.5, 0.5]]]).tolist()
    [[[0.5, 1.0, 0.5]]]
    """
    _parts("rgb_to_hsv", images)
    # A channel below the machine epsilon counts as 0: the hue would be noise.
    noise = jnp.abs(images) < jnp.finfo(images.dtype).eps
    red, green, blue = _parts("rgb_to_hsv", jnp.where(noise, 0.0, images))
    value = jnp.maximum(jnp.maximum(red, green), blue)
    span = value - jnp.minimum(jnp.minimum(red, green), blue)
    # Zeros are replaced before they divide: 0 · ∞ in the unused branch of `where`
    # would make the gradient NaN.
    saturation = jnp.where(value > 0, span / jnp.where(value > 0, value, 1.0), 0.0)
    sixth = 1.0 / (6.0 * jnp.where(span > 0, span, 1.0))
    # If several channels are the greatest, red goes before green, green before blue.
    hue = jnp.where(
        value == green,
        sixth * (blue - red) + 1.0 / 3.0,
        sixth * (red - green) + 2.0 / 3.0,
    )
    hue = jnp.where(value == red, sixth * (green - blue), hue)
    hue = jnp.where(span > 0, hue, 0.0) + (hue < 0).astype(images.dtype)
    return jnp.stack([hue, saturation, value], axis=-1)


@image_op(name="HSVToRGB")
def hsv_to_rgb(images, data_format=None):
    """Convert hue, saturation, value in [0, 1] to red, green, blue in [0, 1].

    Args:
        images: (h, w, 3) or (n, h, w, 3) float array, or channels first.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the shape and dtype of `images`.

    Raises:
        ValueError: the images are not of floats, or have not 3 channels.

    >>> hsv_to_rgb([[[0.0, 1.0, 0.5]]]).tolist()
    [[[0.5, 0.0, 0.0]]]
    """
    hue, saturation, value = _parts("hsv_to_rgb", images)
    angle = (hue % 1.0) * 6.0
    pure = (
        jnp.abs(angle - 3.0) - 1.0,
        2.0 - jnp.abs(angle - 2.0),
        2.0 - jnp.abs(angle - 4.0),
    )
    colours = [
        value * ((1.0 - saturation) + saturation * jnp.clip(c, 0.0, 1.0)) for c in pure
    ]
    return jnp.stack(colours, axis=-1)

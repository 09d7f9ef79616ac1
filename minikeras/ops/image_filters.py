"""Images filtered by small kernels: blur and edges."""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax

from minikeras.core.keras_tensor import KerasTensor
from minikeras.ops.convert import as_array
from minikeras.ops.image_layout import check_rank, image_op

__all__ = [
    "gaussian_blur", "sobel_edges",
]  # fmt: skip


def correlate(images, kernels, padding="SAME"):
    """Every channel with every kernel: (n, h, w, c), (kh, kw, k) -> (n, h, w, c, k)."""
    n, _, _, c = images.shape
    # One plane for each channel: a plain convolution of one channel, not a grouped one.
    planes = jnp.moveaxis(images, 3, 1).reshape(n * c, *images.shape[1:3], 1)
    layout = ("NHWC", "HWIO", "NHWC")
    out = lax.conv_general_dilated(
        planes, kernels[:, :, None], (1, 1), padding, dimension_numbers=layout
    )
    return jnp.moveaxis(out.reshape(n, c, *out.shape[1:]), 1, 3)


def gaussian(size, sigma, dtype):
    """`size` entries exp(-½ (x / sigma)²), x around 0, that sum to 1."""
    x = (jnp.arange(size, dtype=dtype) - (size - 1) / 2) / sigma
    weights = jnp.exp(-0.5 * x**2)
    return weights / jnp.sum(weights)


def filter_along(images, weights, axis):
    """Weighted sums of neighbours along an axis (< 0); 0 beyond the border."""
    # Sums of shifted images fuse to one loop. 16 images of 64 x 64 on two cores, 3 x 3:
    # 0.2 ms; by convolutions of one channel 15. For 61 x 61: 4.2 and 131.
    size, extra = images.shape[axis], len(weights) - 1
    pads = [(0, 0)] * images.ndim
    pads[axis] = (extra // 2, extra - extra // 2)
    padded, axis = jnp.pad(images, pads), axis + images.ndim
    parts = (lax.slice_in_dim(padded, i, i + size, axis=axis) for i in range(extra + 1))
    return functools.reduce(jnp.add, map(jnp.multiply, weights, parts))


def blur(images, kernel_size, sigma, axes=(-2, -3)):
    """Images convolved with a Gaussian; the axes are those of width and height."""
    # A Gaussian is the product of two of one axis: k + k instead of k · k products.
    for k, s, axis in zip(kernel_size, sigma, axes, strict=True):
        images = filter_along(images, gaussian(int(k), s, images.dtype), axis)
        # Fused, the sums along one axis would be made again for each of the other.
        images = lax.optimization_barrier(images)
    return images


def _same_spec(trace, images, **settings):
    check_rank(images)
    return KerasTensor(images.shape, images.dtype)


@image_op(spec=_same_spec)
def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Weighted mean of neighbours, with weights exp(-½ (x² / σₓ² + y² / σ_y²)).

    The pixels beyond the border are 0.

    Args:
        images: (h, w, c) or (n, h, w, c) float array, or channels first.
        kernel_size: pair of ints, width and height of the window in pixels.
        sigma: pair of numbers, standard deviations along width and height in pixels.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the shape and dtype of `images`.

    Raises:
        TypeError: the images are not of floats.

    >>> gaussian_blur([[[0.0], [1.0], [0.0]]], kernel_size=(3, 1))[..., 0].tolist()
    [[0.274..., 0.451..., 0.274...]]
    """
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise TypeError(
            f"gaussian_blur: expected float images, got images.dtype={images.dtype}."
        )
    return blur(images, kernel_size, as_array(sigma).astype(images.dtype))


# The derivative along height; its transpose is that along width.
_SOBEL = ((-1, -2, -1), (0, 0, 0), (1, 2, 1))


@image_op
def sobel_edges(images, data_format=None):
    """Sobel's estimates of 8 ∂/∂y and 8 ∂/∂x; the pixels beyond the border are 0.

    Args:
        images: (n, h, w, c) array, or channels first.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        (n, h, w, c, 2) array, or (n, c, h, w, 2): derivatives along height and width.

    >>> sobel_edges([[[[1.0], [2.0], [3.0]]]])[0, 0, :, 0].tolist()
    [[0.0, 4.0], [0.0, 4.0], [0.0, -4.0]]
    """
    down = np.array(_SOBEL, images.dtype)
    return correlate(images, jnp.stack([down, down.T], axis=-1))

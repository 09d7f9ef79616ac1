"""Images filtered by small kernels: blur, edges, structural similarity."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, promote
from minikeras.ops.image_layout import check_rank, image_op
from minikeras.ops.keras_modules import IMAGE
from minikeras.settings import standardize_data_format

__all__ = [
    "gaussian_blur", "sobel_edges", "ssim",
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


def blur(images, kernel_size, sigma):
    """(n, h, w, c) images convolved with a Gaussian."""
    # A Gaussian is the product of two of one axis: k + k instead of k · k products.
    wide, high = (
        gaussian(int(k), s, images.dtype)
        for k, s in zip(kernel_size, sigma, strict=True)
    )
    images = correlate(images, wide[None, :, None])[..., 0]
    return correlate(images, high[:, None, None])[..., 0]


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


@op(name="SSIM", tensors=("image1", "image2"), module=IMAGE)
def ssim(
    image1,
    image2,
    max_val=1.0,
    filter_size=11,
    filter_sigma=1.5,
    k1=0.01,
    k2=0.03,
    data_format=None,
):
    """Structural similarity, the mean over pixels and channels of

    (2 μ₁μ₂ + a) (2 σ₁₂ + b) / ((μ₁² + μ₂² + a) (σ₁² + σ₂² + b)),
    a = (k1 max_val)², b = (k2 max_val)², moments weighted by a Gaussian window.

    Args:
        image1: (h, w, c) or (n, h, w, c) array, or channels first.
        image2: array of the shape of `image1`.
        max_val: number, the greatest possible value.
        filter_size: int, size of the window in pixels, at most that of the images.
        filter_sigma: number, standard deviation of the window in pixels.
        k1: small number > 0 that keeps the quotient of the means finite.
        k2: small number > 0 that keeps the quotient of the variances finite.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Scalar, or (n,) array, at most 1.

    Raises:
        ValueError: the shapes differ, or the images are smaller than the window.

    Source: Wang et al., Image quality assessment, 2004.

    >>> x = jnp.linspace(0.0, 1.0, 16).reshape(4, 4, 1)
    >>> float(ssim(x, x, filter_size=3)), float(ssim(x, 1 - x, filter_size=3)) < 0
    (1.0, True)
    """
    x, y = promote(image1, image2)
    for argument, image in (("image1", x), ("image2", y)):
        check_rank(image, argument)
    dtype, rank = x.dtype, x.ndim
    if not jnp.issubdtype(dtype, jnp.inexact):
        x, y = x.astype("float32"), y.astype("float32")
    if standardize_data_format(data_format) == "channels_first":
        x, y = jnp.moveaxis(x, -3, -1), jnp.moveaxis(y, -3, -1)
    if x.shape != y.shape:
        raise ValueError(
            f"ssim: expected two equal shapes, got {x.shape} and {y.shape}."
        )
    if min(x.shape[-3:-1]) < filter_size:
        raise ValueError(
            f"ssim: images of shape {x.shape} are smaller than the window of "
            f"filter_size={filter_size}: choose filter_size <= {min(x.shape[-3:-1])}."
        )
    x, y = (image if rank == 4 else image[None] for image in (x, y))
    window = gaussian(filter_size, filter_sigma, x.dtype)
    kernel = jnp.outer(window, window)[..., None]
    similarity = _similarity(x, y, kernel, (k1 * max_val) ** 2, (k2 * max_val) ** 2)
    mean = jnp.mean(jnp.mean(similarity, axis=(1, 2)), axis=-1).astype(dtype)
    return mean if rank == 4 else mean[0]


def _similarity(x, y, kernel, a, b):
    """The structural similarity of each pixel."""

    def mean(z):
        return correlate(z, kernel, "VALID")[..., 0]

    mean_x, mean_y = mean(x), mean(y)
    xx, yy, xy = mean_x * mean_x, mean_y * mean_y, mean_x * mean_y
    covariance = mean(x * y) - xy
    # Variances as mean(x²) - mean(x)²: one convolution each.
    spread = (mean(x * x) - xx) + (mean(y * y) - yy)
    return ((2 * xy + a) * (2 * covariance + b)) / ((xx + yy + a) * (spread + b))

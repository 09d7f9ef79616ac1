"""Measures of how much two images differ."""

import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_float, promote
from minikeras.ops.image_filters import correlate, gaussian
from minikeras.ops.image_layout import check_rank
from minikeras.ops.keras_modules import IMAGE, nn_op
from minikeras.settings import standardize_data_format

__all__ = [
    "psnr", "ssim",
]  # fmt: skip


def _psnr_spec(trace, x1, x2, max_val):
    """A scalar. The shapes are compared when there are arrays."""
    return KerasTensor((), x1.dtype)


@nn_op(name="PSNR", tensors=("x1", "x2"), spec=_psnr_spec)
def psnr(x1, x2, max_val):
    """Peak signal-to-noise ratio 20 log₁₀ max_val - 10 log₁₀ mean((x1 - x2)²).

    Args:
        x1: float array of any shape.
        x2: array of the shape of `x1`.
        max_val: number, the greatest possible value.

    Returns:
        Scalar, in decibels.

    Raises:
        ValueError: the shapes differ.

    >>> float(psnr([1.0, 2.0], [2.0, 3.0], max_val=10.0))
    20.0
    """
    x1, x2 = as_array(x1), as_array(x2)
    if x1.shape != x2.shape:
        raise ValueError(
            f"psnr: expected two equal shapes, got {x1.shape} and {x2.shape}."
        )
    error = jnp.mean(jnp.square(x1 - x2))
    return 20 * jnp.log10(max_val) - 10 * jnp.log10(error)


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
    """Structural similarity index of two images, at most 1.

    Mean over pixels and channels of
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
    x, y = as_float(x), as_float(y)
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

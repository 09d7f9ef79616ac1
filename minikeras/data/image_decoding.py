"""Image files as arrays of one size, in NumPy: no device, no compilation."""

import contextlib
import functools
import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.data.image_files import pillow, with_color_mode

COLOR_MODES = {"grayscale": 1, "rgb": 3, "rgba": 4}  # and how many channels they have
DECODERS = ("pillow", "simplejpeg")


def _cubic(x, b, c):
    """Cubic kernel of Mitchell and Netravali for |x|; (0, 1/2) is Keys's."""
    inner = ((12 - 9 * b - 6 * c) * x - 18 + 12 * b + 6 * c) * x * x + 6 - 2 * b
    outer = ((-b - 6 * c) * x + 6 * b + 30 * c) * x - 12 * b - 48 * c
    return np.where(x < 1, inner, outer * x + 8 * b + 24 * c) / 6


def _lanczos(x, radius):
    return np.sinc(x) * np.sinc(x / radius)


# {interpolation: (radius, weight at the distance |x|)}, without widening for images
# that shrink: Keras does not either.
_KERNELS: dict[str, tuple[float, Callable]] = {
    "bilinear": (1, lambda x: 1 - x),
    "bicubic": (2, lambda x: _cubic(x, 0, 1 / 2)),
    "mitchellcubic": (2, lambda x: _cubic(x, 1 / 3, 1 / 3)),
    "lanczos3": (3, lambda x: _lanczos(x, 3)),
    "lanczos5": (5, lambda x: _lanczos(x, 5)),
    "gaussian": (1.5, lambda x: np.exp(-2 * x * x)),  # sigma 1/2
}
INTERPOLATIONS = (*_KERNELS, "nearest", "area")


@functools.lru_cache(maxsize=1024)  # images of a folder have few sizes
def _taps(old: int, new: int, interpolation: str) -> tuple[np.ndarray, np.ndarray]:
    """(pixels, weights) that make each of `new` pixels of `old`: (taps, new) each."""
    step = old / new
    if interpolation == "area":
        left = np.arange(new) * step
        pixels = np.floor(left).astype(int) + np.arange(math.ceil(step) + 1)[:, None]
        ends = np.minimum(pixels + 1, left + step), np.maximum(pixels, left)
        weights = np.maximum(ends[0] - ends[1], 0)
    else:
        radius, kernel = _KERNELS[interpolation]
        # In float32, as JAX does: it changes values of 255 by up to 0.002.
        step = np.float32(1) / np.float32(new / old)
        half, reach = np.float32(0.5), math.ceil(radius)
        center = (np.arange(new, dtype="float32") + half) * step - half
        first = np.floor(center).astype(int) - reach + 1
        pixels = first + np.arange(2 * reach)[:, None]
        distance = np.abs(center - pixels)
        weights = np.where(distance < radius, kernel(distance), 0)
    weights = np.where((pixels >= 0) & (pixels < old), weights, 0)
    weights = weights / weights.sum(axis=0)
    return pixels.clip(0, old - 1), weights.astype("float32")


def _resized_axis(x, axis, new, interpolation):
    old = x.shape[axis]
    if old == new and interpolation not in ("gaussian", "mitchellcubic"):
        return x  # only these two blur an image that keeps its size
    if interpolation == "nearest":
        # In float32, as JAX does: other rounding would take other pixels.
        at = (np.arange(new, dtype="float32") + np.float32(0.5)) * old / new
        return x.take(np.floor(at).astype(int), axis)
    pixels, weights = _taps(old, new, interpolation)
    weights = weights.reshape(len(weights), *((-1, 1, 1) if axis == 0 else (1, -1, 1)))
    y = x.take(pixels[0], axis) * weights[0]
    for at, weight in zip(pixels[1:], weights[1:], strict=True):
        y += x.take(at, axis) * weight
    return y


def resize(
    x: np.ndarray,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    crop: bool = False,
    pad: bool = False,
) -> np.ndarray:
    """`keras.ops.image.resize` of one (height, width, channels) image, as float32.

    `crop` cuts off borders first, so that nothing is distorted; `pad` adds black ones.

    >>> resize(np.array([[[0], [4]]]), (1, 4)).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    (h, w, _), (height, width) = x.shape, size
    fit_h, fit_w = max(w * height // width, 1), max(h * width // height, 1)
    if crop:
        crop_h, crop_w = min(h, fit_h), min(w, fit_w)
        top, left = (h - crop_h) // 2, (w - crop_w) // 2
        x = x[top : top + crop_h, left : left + crop_w]
    elif pad:
        top, left = max(fit_h - h, 0) // 2, max(fit_w - w, 0) // 2
        x = np.pad(x, ((top, top), (left, left), (0, 0)))
    # Rows first: they are contiguous, and an image of 8 bits is read as it is.
    for axis, new in enumerate(size):
        x = _resized_axis(x, axis, new, interpolation)
    return x.astype("float32", copy=False)


def read_pixels(path: Any, color_mode: str, decoder: str = "pillow") -> np.ndarray:
    """The (height, width, channels) pixels of a file: uint8, or deeper for deep greys.

    Args:
        path: of the file.
        color_mode: one of `COLOR_MODES`.
        decoder: "pillow", or "simplejpeg" for JPEG files.
    """
    if decoder == "simplejpeg" and color_mode != "rgba":
        simplejpeg = late_import("simplejpeg")
        with open(path, "rb") as file:
            data = file.read()
        if data[:2] == b"\xff\xd8":
            space = "GRAY" if color_mode == "grayscale" else "RGB"
            with _named(path):
                return simplejpeg.decode_jpeg(data, colorspace=space)
    with _named(path), pillow("decoding of images").open(path) as image:
        pixels = np.array(with_color_mode(image, color_mode))
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


@contextlib.contextmanager
def _named(path):
    """Make a ValueError with the path of the errors of decoders, of many kinds."""
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # a missing file
            raise
        raise ValueError(
            f"{os.fspath(path)!r} is not an image, or damaged: {error} Delete it, or "
            'skip such files by on_error="skip".'
        ) from error


def decode_image(
    path: Any,
    color_mode: str,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    crop: bool = False,
    pad: bool = False,
    data_format: str = "channels_last",
    decoder: str = "pillow",
) -> np.ndarray:
    """An image file as a float32 array of one size, 0 to 255."""
    pixels = read_pixels(path, color_mode, decoder)
    image = resize(pixels, size, interpolation, crop, pad)
    return image.transpose(2, 0, 1) if data_format == "channels_first" else image

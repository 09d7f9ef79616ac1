"""Images of Pillow and arrays: `load_img`, `img_to_array`, `array_to_img`, `save_img`.

Pillow is imported where it is used.
"""

import io
import os
import warnings
from typing import Any

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.settings import floatx, standardize_data_format

_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
# Greys that stay as they are with `color_mode="grayscale"`: 8, 16 and 32 bits.
_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}


def pillow(caller: str) -> Any:
    """The module `PIL.Image`; an ImportError that names the caller."""
    try:
        return late_import("PIL.Image")
    except ImportError as error:
        raise ImportError(
            f"Could not import PIL.Image, which {caller} needs: pip install pillow"
        ) from error


def with_color_mode(image: Any, color_mode: str) -> Any:
    """The image of Pillow with 1, 3 or 4 channels; deep greys stay deep."""
    modes = _MODES[color_mode]
    return image if image.mode in modes else image.convert(modes[0])


def load_img(
    path,
    color_mode="rgb",
    target_size=None,
    interpolation="nearest",
    keep_aspect_ratio=False,
):
    """Load an image as an object of Pillow.

    Args:
        path: path as a string, bytes or `pathlib.Path`; or a `BytesIO` of the file.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: (height, width); None: that of the file.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box", "lanczos".
        keep_aspect_ratio: bool, whether the borders are cut off first, so that nothing
            is distorted.

    Returns:
        `PIL.Image.Image`.

    Raises:
        ValueError: an unknown color mode or interpolation.
        TypeError: `path` is neither a path nor a `BytesIO`.
        ImportError: Pillow is missing.

    >>> file = io.BytesIO()
    >>> save_img(file, np.ones((4, 6, 3)), file_format="png")
    >>> load_img(file, "grayscale", (2, 2)).size
    (2, 2)
    """
    if color_mode not in _MODES:
        raise ValueError(
            f'color_mode must be "grayscale", "rgb", or "rgba"; got {color_mode!r}.'
        )
    if not isinstance(path, (io.BytesIO, bytes, str, os.PathLike)):
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    with pillow("load_img").open(path) as file:
        file.load()
        image = with_color_mode(file, color_mode)
        if image is file:  # of a class with an open file; the copy is a plain image
            image = file.copy()
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    if interpolation not in _FILTERS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported "
            f"methods are {', '.join(_FILTERS)}"
        )
    (height, width), (w, h) = target_size, image.size
    box = None
    if keep_aspect_ratio:
        crop_h, crop_w = min(h, w * height // width), min(w, h * width // height)
        left, top = (w - crop_w) // 2, (h - crop_h) // 2
        box = (left, top, left + crop_w, top + crop_h)
    resampling = getattr(pillow("load_img").Resampling, interpolation.upper())
    return image.resize((width, height), resampling, box=box)


def img_to_array(img, data_format=None, dtype=None):
    """The pixels of an image of Pillow.

    Args:
        img: `PIL.Image.Image`, or a (height, width) or (height, width, channels) array.
        data_format: "channels_last" or "channels_first"; None: the global setting.
        dtype: of the array; None: `floatx()`.

    Returns:
        NumPy array, (height, width, channels) or (channels, height, width).

    Raises:
        ValueError: `img` has another number of axes.
    """
    data_format = standardize_data_format(data_format)
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"Unsupported image shape: {x.shape}")
    x = x[:, :, None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if data_format == "channels_first" else x


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """An image of Pillow from pixels.

    Args:
        x: (height, width, channels) array with 1, 3 or 4 channels, or channels first.
        data_format: "channels_last" or "channels_first"; None: the global setting.
        scale: bool, whether min and max of `x` become 0 and 255.
        dtype: of the calculation; None: `floatx()`.

    Returns:
        `PIL.Image.Image` of 8 bits; of 32 for one channel with values above 255.

    Raises:
        ValueError: another number of axes or channels.
        ImportError: Pillow is missing.

    >>> array_to_img(np.eye(3)[..., None]).mode
    'L'
    """
    data_format = standardize_data_format(data_format)
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(
            "Expected image array to have rank 3 (single image). Got array with "
            f"shape: {x.shape}"
        )
    x = x.transpose(1, 2, 0) if data_format == "channels_first" else x
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(
            f"Unsupported channel number: {x.shape[2]}. Expected 1, 3 or 4."
        )
    if scale:
        x = x - np.min(x)
        largest = np.max(x)
        x = (x / largest if largest != 0 else x) * 255
    deep = x.shape[2] == 1 and np.max(x) > 255
    pixels = x.astype("int32" if deep else "uint8")
    return pillow("array_to_img").fromarray(
        pixels[:, :, 0] if x.shape[2] == 1 else pixels
    )


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Save an array as an image file.

    Args:
        path: path, or a file open for writing.
        x: (height, width, channels) array with 1, 3 or 4 channels, or channels first.
        data_format: "channels_last" or "channels_first"; None: the global setting.
        file_format: such as "png"; None: by the suffix of `path`.
        scale: bool, whether min and max of `x` become 0 and 255.
        **kwargs: passed to `PIL.Image.Image.save`.

    Raises:
        ValueError: a shape that is no image, or an unknown format.
        ImportError: Pillow is missing.
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = os.path.splitext(path)[1][1:]
    file_format = (file_format or "").lower().replace("jpg", "jpeg")
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn(
            "save_img: JPEG has no transparency; the fourth channel is left out.",
            stacklevel=2,
        )
        image = image.convert("RGB")
    image.save(path, format=file_format or None, **kwargs)

"""`keras.preprocessing.image`: images of Pillow, arrays, and sizes."""

import numpy as np

from minikeras.data.image_files import array_to_img, img_to_array, load_img, save_img
from minikeras.ops.image_sizes import resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]


def smart_resize(
    x, size, interpolation="bilinear", data_format="channels_last", **kwargs
):
    """Images scaled to another size without distortion; borders are cut off.

    Args:
        x: (h, w, c) or (n, h, w, c) array, or channels first.
        size: (height, width) of the result.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first".
        **kwargs: none is taken.

    Returns:
        Array of the dtype of `x`: NumPy for NumPy arrays, else JAX.

    Raises:
        ValueError: `size` is no pair, or `x` is no image.
        TypeError: an unknown argument.

    >>> smart_resize(np.zeros((4, 6, 3), "float32"), (2, 2)).shape
    (2, 2, 3)
    """
    if kwargs:
        raise TypeError(
            f"smart_resize() got unexpected keyword arguments: {list(kwargs)}"
        )
    if len(size) != 2:
        raise ValueError(
            f"Expected `size` to be a tuple of 2 integers, but got: {size}."
        )
    if np.ndim(x) not in (3, 4):
        raise ValueError(
            "Expected an image array with shape `(height, width, channels)`, or "
            "`(batch_size, height, width, channels)`, but got input with incorrect "
            f"rank, of shape {np.shape(x)}."
        )
    options = {"crop_to_aspect_ratio": True, "data_format": data_format}
    images = resize(x, size, interpolation, **options)
    return np.asarray(images) if isinstance(x, np.ndarray) else images

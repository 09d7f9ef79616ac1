"""Patches of images and volumes."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from minikeras.core.symbolic import op
from minikeras.ops.arguments import padding_mode, per_axis
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import IMAGE
from minikeras.settings import standardize_data_format

__all__ = [
    "extract_patches", "extract_patches_3d",
]  # fmt: skip


def _windows(x, axis, size, stride, dilation, pads):
    """Replace an axis by two: the windows, and the entries of each."""
    x = jnp.pad(x, [pads if i == axis else (0, 0) for i in range(x.ndim)])
    count = (x.shape[axis] - (size - 1) * dilation - 1) // stride + 1
    # Windows that touch are a reshape, without a gather.
    if stride == size and dilation == 1:
        x = lax.slice_in_dim(x, 0, count * size, axis=axis)
        return x.reshape(*x.shape[:axis], count, size, *x.shape[axis + 1 :])
    indices = stride * np.arange(count)[:, None] + dilation * np.arange(size)
    return jnp.take(x, indices, axis)


@op(tensors=("images",), module=IMAGE)
def extract_patches(
    images, size, strides=None, dilation_rate=1, padding="valid", data_format=None
):
    """Windows of an image, or of a volume, as channels.

    Args:
        images: (h, w, c) or (n, h, w, c) array, or channels first. For a size of three
            ints there is a depth before h.
        size: int, (h, w) or (depth, h, w): the window.
        strides: int, or one for each axis; `size` by default.
        dilation_rate: int, or one for each axis: the distance of a window's entries.
        padding: "valid", or "same", which pads the borders with zeros.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        (n, windows down, windows across, entries of a window · c) array, or channels
        first.

    Raises:
        TypeError: `size` is no int and no tuple.
        ValueError: sizes or padding that do not fit.

    >>> extract_patches(np.arange(16).reshape(4, 4, 1), 2)[1, 0].tolist()
    [8, 9, 12, 13]
    """
    if not isinstance(size, (int, tuple, list)):
        raise TypeError(
            "extract_patches: Expected an int or a tuple for `size`, got "
            f"size={size!r} ({type(size).__name__})."
        )
    if not isinstance(size, int) and len(size) not in (2, 3):
        raise ValueError(
            "extract_patches: Expected a tuple of length 2 or 3 for `size`, got "
            f"size={size}."
        )
    images, rank = as_array(images), 2 if isinstance(size, int) else len(size)
    if images.ndim not in (rank + 1, rank + 2):
        raise ValueError(
            f"extract_patches: for windows of {rank} axes expected images of rank "
            f"{rank + 1} or {rank + 2}, got images.shape={images.shape}."
        )
    size, strides = (
        per_axis(size, rank),
        per_axis(size if strides is None else strides, rank),
    )
    dilation = per_axis(dilation_rate, rank)
    if {len(size), len(strides), len(dilation)} != {rank} or min(size) < 1:
        raise ValueError(
            f"extract_patches: size, strides and dilation_rate must have {rank} "
            f"positive entries, got {size}, {strides} and {dilation}."
        )
    mode = padding_mode("extract_patches", padding)
    first = standardize_data_format(data_format) == "channels_first"
    single = images.ndim == rank + 1
    x = images[None] if single else images
    x = jnp.moveaxis(x, 1, -1) if first else x
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    pads = lax.padtype_to_pads(x.shape[1:-1], spans, strides, mode)
    # From the last axis on: the earlier ones keep their numbers.
    for i in reversed(range(rank)):
        x = _windows(x, i + 1, size[i], strides[i], dilation[i], pads[i])
    # (n, windows, entries, windows, entries, c): all windows go before all entries.
    x = x.transpose(0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1)
    x = x.reshape(*x.shape[: rank + 1], -1)
    x = jnp.moveaxis(x, -1, 1) if first else x
    return x[0] if single else x


def extract_patches_3d(
    volumes, size, strides=None, dilation_rate=1, padding="valid", data_format=None
):
    """Windows of a volume as channels.

    Args:
        volumes: (d, h, w, c) or (n, d, h, w, c) array, or channels first.
        size: int or (depth, h, w): the window.
        strides: int, or one for each axis; `size` by default.
        dilation_rate: int, or one for each axis: the distance of a window's entries.
        padding: "valid", or "same", which pads the borders with zeros.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        (n, windows in depth, down, across, entries of a window · c) array, or channels
        first.

    Raises:
        TypeError: `size` is no int and no three ints.
        ValueError: sizes or padding that do not fit.

    >>> extract_patches_3d(np.arange(8).reshape(2, 2, 2, 1), 2).ravel().tolist()
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    size = (size,) * 3 if isinstance(size, int) else size
    if not isinstance(size, (tuple, list)) or len(size) != 3:
        raise TypeError(
            "extract_patches_3d: expected size to be an int or three ints, got "
            f"size={size!r}."
        )
    return extract_patches(volumes, size, strides, dilation_rate, padding, data_format)

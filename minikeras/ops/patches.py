"""Spatial blocks and patches moved between axes."""

import math

import jax.numpy as jnp
from jax import lax

from minikeras.ops.arguments import per_axis
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import nn_op
from minikeras.settings import standardize_data_format

__all__ = [
    "depth_to_space", "fold", "space_to_depth", "unfold",
]  # fmt: skip


def _images(x, block_size, data_format):
    """The array and its data format, checked."""
    x = as_array(x)
    if block_size < 2:
        raise ValueError(f"`block_size` must be at least 2, got {block_size}.")
    if x.ndim != 4:
        raise ValueError(f"expected a batch of images, 4 axes, got shape {x.shape}.")
    return x, standardize_data_format(data_format)


def _check_rank(function, x, rank):
    """ValueError unless there are `rank` axes."""
    if x.ndim != rank:
        raise ValueError(f"{function}: expected a {rank}D array, got shape {x.shape}.")


@nn_op
def depth_to_space(x, block_size, data_format="channels_last"):
    """Channels moved into blocks of pixels.

    Args:
        x: (batch, h, w, b² · c) array, or channels first, for blocks of b x b. The
            place in the block is the outer part of the channels, or the inner one if
            they come first.
        block_size: b, int >= 2.
        data_format: "channels_last" or "channels_first".

    Returns:
        (batch, b · h, b · w, c) array, or channels first.

    Raises:
        ValueError: `block_size` is below 2, or `x` has not 4 axes.

    >>> depth_to_space([[[[1, 2, 3, 4]]]], 2)[..., 0].tolist()
    [[[1, 2], [3, 4]]]
    """
    (x, data_format), b = _images(x, block_size, data_format), block_size
    if data_format == "channels_first":
        n, c, h, w = x.shape
        blocks = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
        return blocks.reshape(n, c // b**2, h * b, w * b)
    n, h, w, c = x.shape
    blocks = x.reshape(n, h, w, b, b, c // b**2).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h * b, w * b, c // b**2)


@nn_op
def space_to_depth(x, block_size, data_format="channels_last"):
    """Blocks of pixels moved into channels.

    Args:
        x: (batch, b · h, b · w, c) array, or channels first, for blocks of b x b.
        block_size: b, int >= 2.
        data_format: "channels_last" or "channels_first".

    Returns:
        (batch, h, w, b² · c) array, or channels first.

    Raises:
        ValueError: `block_size` is below 2, or `x` has not 4 axes.

    >>> space_to_depth([[[[1], [2]], [[3], [4]]]], 2).tolist()
    [[[[1, 2, 3, 4]]]]
    """
    (x, data_format), b = _images(x, block_size, data_format), block_size
    if data_format == "channels_first":
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // b, b, w // b, b).transpose(0, 1, 3, 5, 2, 4)
        return blocks.reshape(n, c * b**2, h // b, w // b)
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h // b, w // b, c * b**2)


def _patch_indices(shape, kernel, dilation, padding, stride):
    """Rows and columns of the entries of each patch, two (patches, window) arrays."""
    axes = []
    for size, k, d, p, s in zip(shape, kernel, dilation, padding, stride, strict=True):
        count = (size + 2 * p - d * (k - 1) - 1) // s + 1
        axes.append(s * jnp.arange(count)[:, None] + d * jnp.arange(k))
    (rows, columns), (k, m) = axes, kernel
    rows = jnp.broadcast_to(
        rows[:, None, :, None], (len(rows), len(columns), k, m)
    ).reshape(-1, k * m)
    columns = jnp.broadcast_to(
        columns[None, :, None, :], (len(axes[0]), len(columns), k, m)
    ).reshape(-1, k * m)
    return rows, columns


@nn_op
def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """Patches of an image as columns.

    Args:
        x: (batch, channels, height, width) array.
        kernel_size: int, or pair of ints: the size of a patch.
        dilation: int, or pair of ints: the distance of the entries of a patch.
        padding: int, or pair of ints: zeros added at both ends of each axis.
        stride: int, or pair of ints: the distance of the patches.

    Returns:
        (batch, channels · entries of a patch, patches) array.

    Raises:
        ValueError: `x` has not 4 axes.

    >>> unfold([[[[1, 2, 3], [4, 5, 6]]]], 2).tolist()
    [[[1, 2], [2, 3], [4, 5], [5, 6]]]
    """
    x = as_array(x)
    _check_rank("unfold", x, 4)
    kernel, dilation, padding, stride = (
        per_axis(v, 2) for v in (kernel_size, dilation, padding, stride)
    )
    rows, columns = _patch_indices(x.shape[2:], kernel, dilation, padding, stride)
    x = jnp.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])
    patches = x[:, :, rows, columns]
    return patches.transpose(0, 1, 3, 2).reshape(len(x), -1, len(rows))


@nn_op
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The image with the given patches, where overlapping ones are added.

    It is the transpose of `unfold`.

    Args:
        x: (batch, channels · entries of a patch, patches) array.
        output_size: int, or pair of ints: height and width.
        kernel_size: int, or pair of ints: the size of a patch.
        dilation: int, or pair of ints: the distance of the entries of a patch.
        padding: int, or pair of ints: entries cut off at both ends of each axis.
        stride: int, or pair of ints: the distance of the patches.

    Returns:
        (batch, channels, height, width) array.

    Raises:
        ValueError: `x` has not 3 axes.

    >>> fold([[[1, 2], [3, 4]]], (1, 3), (1, 2)).tolist()
    [[[[1, 5, 4]]]]
    """
    x = as_array(x)
    _check_rank("fold", x, 3)
    size, kernel, dilation, padding, stride = (
        per_axis(v, 2) for v in (output_size, kernel_size, dilation, padding, stride)
    )
    rows, columns = _patch_indices(size, kernel, dilation, padding, stride)
    patches = x.reshape(len(x), -1, math.prod(kernel), x.shape[-1])
    padded = [n + 2 * p for n, p in zip(size, padding, strict=True)]
    # Overlapping patches have equal indices, where `add` sums them.
    image = jnp.zeros((*patches.shape[:2], *padded), x.dtype)
    image = image.at[:, :, rows, columns].add(patches.transpose(0, 1, 3, 2))
    starts = (0, 0, *padding)
    return lax.dynamic_slice(image, starts, (*image.shape[:2], *size))

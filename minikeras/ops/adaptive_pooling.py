"""Pooling to a given size: windows that divide the axes as evenly as they can."""

import math

import jax.numpy as jnp
import numpy as np

from minikeras.ops.activation import nn_op
from minikeras.ops.convert import as_array
from minikeras.ops.convolution import sizes
from minikeras.ops.pooling import max_pool
from minikeras.settings import standardize_data_format

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool",
]  # fmt: skip


def _windows(size, count):
    """Window i of `count` is floor(i · size / count) … ceil((i + 1) · size / count).

    Returns:
        (count, longest) places, the last one repeated; (count,) lengths.
    """
    i = np.arange(count)
    starts, stops = i * size // count, -(-(i + 1) * size // count)
    lengths = stops - starts
    places = starts[:, None] + np.arange(lengths.max())
    return np.minimum(places, stops[:, None] - 1), lengths


def _adaptive(function, inputs, output_size, data_format, pool):
    """`pool(x, axis, places, lengths)` along each spatial axis."""
    x, rank = as_array(inputs), np.ndim(inputs) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{function}: expected inputs of rank 3, 4 or 5, got shape {x.shape}."
        )
    counts = sizes(output_size, rank)
    if len(counts) != rank or not all(isinstance(n, int) and n > 0 for n in counts):
        raise ValueError(
            f"{function}: output_size must be a positive int or {rank} of them, got "
            f"{output_size}."
        )
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for axis, count in enumerate(counts, first):
        x = pool(x, axis, *_windows(x.shape[axis], count))
    return x


def _mean(x, axis, places, lengths):
    rest = (1,) * (x.ndim - axis - 1)
    counted = np.arange(places.shape[1]) < lengths[:, None]
    counted = counted.reshape(*counted.shape, *rest)
    windows = jnp.where(counted, jnp.take(x, places, axis), 0)
    return jnp.sum(windows, axis + 1) / lengths.reshape(-1, *rest)


def _max(x, axis, places, lengths):
    # As (before, windows of one length in a row, after): its gradient is fast there.
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    x = jnp.take(x, places.ravel(), axis)
    x = x.reshape(math.prod(before), places.size, math.prod(after))
    pooled = max_pool(x, places.shape[1], data_format="channels_last")
    return pooled.reshape(*before, len(places), *after)


@nn_op(tensors=("inputs",))
def adaptive_average_pool(inputs, output_size, data_format=None):
    """Means over as many windows as are asked for.

    Window i of n covers the entries ⌊i · size / n⌋ to ⌈(i + 1) · size / n⌉ - 1, so that
    neighbours may share one entry.

    Args:
        inputs: (batch, *space, channels) array with 1 to 3 axes of space, or channels
            first.
        output_size: int, or one for each spatial axis: the number of windows.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        (batch, *output_size, channels) array, or channels first.

    Raises:
        ValueError: another rank, or `output_size` is not positive.

    >>> adaptive_average_pool([[[1.0], [2.0], [6.0]]], 2).tolist()
    [[[1.5], [4.0]]]
    """
    return _adaptive("adaptive_average_pool", inputs, output_size, data_format, _mean)


@nn_op(tensors=("inputs",))
def adaptive_max_pool(inputs, output_size, data_format=None):
    """Maxima over as many windows as are asked for.

    Window i of n covers the entries ⌊i · size / n⌋ to ⌈(i + 1) · size / n⌉ - 1, so that
    neighbours may share one entry.

    Args:
        inputs: (batch, *space, channels) array with 1 to 3 axes of space, or channels
            first.
        output_size: int, or one for each spatial axis: the number of windows.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        (batch, *output_size, channels) array, or channels first.

    Raises:
        ValueError: another rank, or `output_size` is not positive.

    >>> adaptive_max_pool([[[1.0], [2.0], [6.0]]], 2).tolist()
    [[[2.0], [6.0]]]
    """
    return _adaptive("adaptive_max_pool", inputs, output_size, data_format, _max)

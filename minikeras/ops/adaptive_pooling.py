"""Pooling to a given output size, by windows whose sizes differ by at most one."""

import math

import jax.numpy as jnp
import numpy as np

from minikeras.core.loading import reserve
from minikeras.ops.arguments import per_axis
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import nn_op
from minikeras.ops.pooling import max_pool
from minikeras.settings import standardize_data_format

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool",
]  # fmt: skip


def _windows(size, count):
    """The windows that divide an axis of `size` entries into `count` parts.

    Window i covers the entries ⌊i · size / count⌋ to ⌈(i + 1) · size / count⌉ - 1.

    Returns:
        (count, longest) int array of the entries of each window, where shorter windows
        repeat their last one; (count,) lengths.
    """
    reserve(max(size, count), "an adaptive pooling layer")
    # In numpy: sizes are static, so the indices are constants of the program.
    i = np.arange(count)
    starts, stops = i * size // count, -(-(i + 1) * size // count)
    lengths = stops - starts
    indices = starts[:, None] + np.arange(lengths.max())
    return np.minimum(indices, stops[:, None] - 1), lengths


def _adaptive(function, inputs, output_size, data_format, pool):
    """`pool(x, axis, indices, lengths)` along each spatial axis."""
    x, rank = as_array(inputs), np.ndim(inputs) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{function}: expected inputs of rank 3, 4 or 5, got shape {x.shape}."
        )
    counts = per_axis(output_size, rank)
    if len(counts) != rank or not all(isinstance(n, int) and n > 0 for n in counts):
        raise ValueError(
            f"{function}: output_size must be a positive int or {rank} of them, got "
            f"{output_size}."
        )
    # Means and maxima over a box are those along one axis after the other, because all
    # windows of an axis are the same at every position along the others.
    first = 1 if standardize_data_format(data_format) == "channels_last" else 2
    for axis, count in enumerate(counts, first):
        x = pool(x, axis, *_windows(x.shape[axis], count))
    return x


def _mean(x, axis, indices, lengths):
    """Means over windows along one axis."""
    # The repeated entries of shorter windows count as 0.
    rest = (1,) * (x.ndim - axis - 1)
    counted = np.arange(indices.shape[1]) < lengths[:, None]
    counted = counted.reshape(*counted.shape, *rest)
    windows = jnp.where(counted, jnp.take(x, indices, axis), 0)
    return jnp.sum(windows, axis + 1) / lengths.reshape(-1, *rest)


def _max(x, axis, indices, lengths):
    """Maxima over windows along one axis."""
    # Repeated entries do not change a maximum, so all windows have one length. Laid out
    # one after the other they are those of `max_pool`, whose gradient is fast on CPUs.
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    x = jnp.take(x, indices.ravel(), axis)
    x = x.reshape(math.prod(before), indices.size, math.prod(after))
    pooled = max_pool(x, indices.shape[1], data_format="channels_last")
    return pooled.reshape(*before, len(indices), *after)


@nn_op(tensors=("inputs",))
def adaptive_average_pool(inputs, output_size, data_format=None):
    """Average pooling to a given output size.

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
    """Maximum pooling to a given output size.

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

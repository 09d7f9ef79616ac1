"""Pooling over one, two or three spatial axes."""

import itertools
import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from minikeras.ops.arguments import padding_mode, per_axis
from minikeras.ops.by_platform import ByPlatform
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import nn_op
from minikeras.settings import standardize_data_format

__all__ = [
    "average_pool", "max_pool",
]  # fmt: skip

# Each entry of a window is one comparison in the program of a CPU. Larger windows are
# left to XLA.
_MAX_SLICES = 16


def _window(inputs, pool_size, strides, padding, data_format):
    """Window, strides and padding over all axes of the inputs, checked."""
    rank = inputs.ndim - 2
    pool = per_axis(pool_size, rank)
    steps = pool if strides is None else per_axis(strides, rank)
    if rank not in (1, 2, 3) or {len(pool), len(steps)} != {rank}:
        raise ValueError(
            "Pooling: expected inputs of rank 3, 4 or 5, and a window and strides for "
            f"each of the axes between; got inputs.shape={inputs.shape}, "
            f"pool_size={pool_size}, strides={strides}."
        )
    mode = padding_mode("Pooling", padding)
    if standardize_data_format(data_format) == "channels_last":
        window, strides = (1, *pool, 1), (1, *steps, 1)
    else:
        window, strides = (1, 1, *pool), (1, 1, *steps)
    # Explicit pairs: both implementations then pad alike.
    pads = lax.padtype_to_pads(inputs.shape, window, strides, mode)
    return window, strides, tuple(pads)


def _lowest(dtype):
    """The number that no entry is below: -∞, or the least integer."""
    if jnp.issubdtype(dtype, jnp.floating):
        return -jnp.inf
    return jnp.iinfo(dtype).min


def max_by_windows(x, window, strides, pads):
    """Maximum over windows by XLA's primitive."""
    # A numpy scalar: JAX differentiates the reduction only if it sees a constant here.
    return lax.reduce_window(
        x, np.array(_lowest(x.dtype), x.dtype), lax.max, window, strides, pads
    )


def max_by_slices(x, window, strides, pads):
    """Maximum over windows by comparisons of strided slices."""
    # The gradient of `max_by_windows` is XLA's `select_and_scatter`, which takes 39 ms
    # on two cores for 128x26x26x32 and windows of 2; this one takes 2.1, and the
    # forward pass 0.45 ms instead of 1.2.
    x = lax.pad(x, np.array(_lowest(x.dtype), x.dtype), [(a, b, 0) for a, b in pads])
    spans = [
        (size - w) // s * s + 1
        for size, w, s in zip(x.shape, window, strides, strict=True)
    ]
    # `>` keeps the first of equal entries, which gets the whole gradient as in XLA.
    # `entry != entry` is true for NaN, which XLA's maximum returns too.
    best = None
    for start in itertools.product(*map(range, window)):
        stop = [a + span for a, span in zip(start, spans, strict=True)]
        entry = lax.slice(x, start, stop, strides)
        if best is None:
            best = entry
        else:
            best = jnp.where((entry > best) | (entry != entry), entry, best)
    return best


def _with_xla_parameters(function):
    """The function with the parameters of XLA's primitive."""

    def run(x, window_dimensions, window_strides, padding, **dilations):
        return function(x, window_dimensions, window_strides, padding)

    return run


# Under the name and parameters of XLA's primitive, which exporters of jaxprs know.
_reduce_window_max = ByPlatform(
    "reduce_window_max",
    _with_xla_parameters(max_by_windows),
    cpu=_with_xla_parameters(max_by_slices),
)


def _max(x, window, strides, pads):
    if math.prod(window) > _MAX_SLICES:
        return max_by_windows(x, window, strides, pads)
    ones = (1,) * x.ndim
    return _reduce_window_max(
        x,
        window_dimensions=window,
        window_strides=strides,
        padding=pads,
        base_dilation=ones,
        window_dilation=ones,
    )


@nn_op(tensors=("inputs",))
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """Maxima over windows.

    Args:
        inputs: (batch, *space, channels) array with 1 to 3 axes of space, or channels
            first.
        pool_size: int, or one for each spatial axis: the window.
        strides: int, or one for each spatial axis; `pool_size` by default.
        padding: "valid", or "same", which pads the borders with -∞.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the windows along the spatial axes, otherwise like `inputs`.

    Raises:
        ValueError: another rank, padding, or number of sizes.

    >>> max_pool([[[1.0], [4.0], [3.0], [2.0]]], 2).tolist()
    [[[4.0], [3.0]]]
    """
    inputs = as_array(inputs)
    return _max(inputs, *_window(inputs, pool_size, strides, padding, data_format))


def _sum(x, window, strides, pads):
    # A numpy scalar: JAX differentiates the reduction only if it sees a constant here.
    # On CPUs slices would take 2 to 8 times as long as XLA's gradient of this sum.
    return lax.reduce_window(x, np.zeros((), x.dtype), lax.add, window, strides, pads)


@nn_op(tensors=("inputs",))
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """Means over windows.

    Args:
        inputs: (batch, *space, channels) array with 1 to 3 axes of space, or channels
            first.
        pool_size: int, or one for each spatial axis: the window.
        strides: int, or one for each spatial axis; `pool_size` by default.
        padding: "valid", or "same", which pads the borders; the padding does
            not count.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the windows along the spatial axes, otherwise like `inputs`.

    Raises:
        ValueError: another rank, padding, or number of sizes.

    >>> average_pool([[[1.0], [4.0], [3.0], [2.0]]], 2).tolist()
    [[[2.5], [2.5]]]
    """
    inputs = as_array(inputs)
    window, strides, pads = _window(inputs, pool_size, strides, padding, data_format)
    total = _sum(inputs, window, strides, pads)
    if padding == "valid":
        return total / math.prod(window)
    # Padding does not count, so borders divide by fewer entries. The counts depend only
    # on the spatial axes: along the others one entry broadcasts.
    ones = jnp.ones(
        [1 if w == 1 else n for n, w in zip(inputs.shape, window, strict=True)],
        inputs.dtype,
    )
    steps = [1 if w == 1 else s for w, s in zip(window, strides, strict=True)]
    return total / _sum(ones, window, steps, pads)

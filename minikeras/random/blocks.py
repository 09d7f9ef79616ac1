"""Draws of any shape by one compiled program.

`jax.random` compiles a program for each shape it is asked for; a network has dozens.
But entry i of its draws depends on the key and on i alone (JAX's "partitionable"
threefry), so a draw is put together, bit for bit, from blocks of one size.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.random import threefry_2x32

_BLOCK = 1 << 14
# Larger draws take longer than compiling a program for them.
_MOST = 1 << 26


def draw(kind, key, shape, dtype, *bounds):
    """`jax.random.<kind>(key, shape, float32, *bounds)`, or None where it has to be
    called itself: in traced code, for another dtype or generator, or a huge draw.

    Args:
        kind: "uniform" (with two bounds), "normal" or "truncated_normal" (at two
            standard deviations).
        key: raw threefry key, uint32 of shape (2,).
        shape: tuple of ints.
        dtype: what was asked for.
        bounds: of "uniform": numbers.

    Returns:
        A numpy array, or None.
    """
    size = math.prod(shape)
    numbers = all(isinstance(bound, (int, float)) for bound in bounds)
    if dtype != np.float32 or not numbers or not 0 < size <= _MOST:
        return None
    if not jax.config.jax_threefry_partitionable:  # pyright: ignore
        return None
    if getattr(key, "shape", None) != (2,) or key.dtype != np.uint32:
        return None
    bounds = np.float32(bounds)
    first = _block(kind, key, np.uint32(0), bounds)
    if isinstance(first, jax.core.Tracer):
        return None
    blocks = [first]
    for start in range(_BLOCK, size, _BLOCK):
        blocks.append(_block(kind, key, np.uint32(start), bounds))
    flat = np.empty(len(blocks) * _BLOCK, np.float32)
    for start, block in zip(range(0, size, _BLOCK), blocks, strict=True):
        flat[start : start + _BLOCK] = block
    return flat[:size].reshape(shape)


@functools.partial(jax.jit, static_argnums=0)
def _block(kind, key, start, bounds):
    """Entries start : start + _BLOCK of a draw."""
    low = start + lax.iota(np.uint32, _BLOCK)
    pair = threefry_2x32(key, jnp.concatenate([jnp.zeros_like(low), low]))
    bits = pair[:_BLOCK] ^ pair[_BLOCK:]
    if kind == "uniform":
        return _uniform(bits, bounds[0], bounds[1])
    if kind == "normal":
        below = np.nextafter(np.float32(-1.0), np.float32(0.0))
        return np.float32(np.sqrt(2)) * lax.erf_inv(_uniform(bits, below, 1.0))
    root = np.float32(np.sqrt(2))
    ends = lax.erf(np.float32([-2.0, 2.0]) / root)
    sample = root * lax.erf_inv(_uniform(bits, ends[0], ends[1]))
    within = np.nextafter(np.float32([-2.0, 2.0]), np.float32(0.0))
    return jnp.clip(sample, *within)


def _uniform(bits, low, high):
    """Random bits -> floats in [low, high): the bits are the mantissa of one in
    [1, 2)."""
    low, high = jnp.float32(low), jnp.float32(high)
    one = np.float32(1.0).view(np.uint32)
    fraction = lax.bitcast_convert_type((bits >> 9) | one, np.float32) - 1.0
    return lax.max(low, fraction * (high - low) + low)

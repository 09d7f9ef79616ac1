"""Draws of any shape by one compiled program, where nothing is traced.

`jax.random` compiles a program for each shape it is asked for; a network has dozens.
Since entry i of a draw depends on the key and on i alone, a draw is put together, bit
for bit, from blocks of one size.
"""

import functools
import math

import jax
import numpy as np
from jax import lax

from minikeras.random import threefry

_BLOCK = 1 << 14
# Larger draws take longer than compiling a program for them.
_MOST = 1 << 26


def draw(kind, key, shape, *bounds):
    """`jax.random.<kind>(key, shape, "float32", *bounds)` as a numpy array, or None
    in traced code and for huge draws.

    Args:
        kind: "uniform" (with two bounds), "normal" or "truncated_normal" (at two
            standard deviations).
        key: raw threefry key, uint32 of shape (2,).
        shape: tuple of ints.
        bounds: numbers.
    """
    size = math.prod(shape)
    if not 0 < size <= _MOST:
        return None
    bounds = tuple(map(np.float32, bounds))
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
    counts = start + lax.iota(np.uint32, _BLOCK)
    return threefry.DRAWS[kind](threefry.hashed(key, counts), *bounds)

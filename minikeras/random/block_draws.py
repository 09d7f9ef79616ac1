"""Random draws of any shape outside of traced code, by one compiled program.

`jax.random` compiles a program for each shape; a network has dozens of them. Entry i of
a draw depends only on the key and on i. So one program that draws a block of fixed size
gives the same numbers, bit for bit, when its blocks are joined.
"""

import functools
import math

import jax
import numpy as np
from jax import lax

from minikeras.random import threefry

_BLOCK = 1 << 14
# From here on the blocks take longer than compiling a program for the shape.
_MAX_SIZE = 1 << 26


def draw_by_blocks(kind, key, shape, *bounds):
    """Draw `jax.random.<kind>(key, shape, "float32", *bounds)` into a numpy array.

    Returns None in traced code and for draws above `_MAX_SIZE` entries.

    Args:
        kind: "uniform" (with two bounds), "normal" or "truncated_normal" (at two
            standard deviations).
        key: raw threefry key, uint32 of shape (2,).
        shape: tuple of ints.
        bounds: numbers.
    """
    size = math.prod(shape)
    if not 0 < size <= _MAX_SIZE:
        return None
    bounds = tuple(map(np.float32, bounds))
    first = _block(kind, key, np.uint32(0), bounds)
    # The key may be a tracer, or a constant in a trace: only the result tells both.
    if isinstance(first, jax.core.Tracer):
        return None
    blocks = [first]
    for start in range(_BLOCK, size, _BLOCK):
        blocks.append(_block(kind, key, np.uint32(start), bounds))
    # All blocks are dispatched before the first one is read, so that they overlap.
    flat = np.empty(len(blocks) * _BLOCK, np.float32)
    for start, block in zip(range(0, size, _BLOCK), blocks, strict=True):
        flat[start : start + _BLOCK] = block
    return flat[:size].reshape(shape)


@functools.partial(jax.jit, static_argnums=0)
def _block(kind, key, start, bounds):
    """Entries start : start + _BLOCK of a draw."""
    counts = start + lax.iota(np.uint32, _BLOCK)
    return threefry.FROM_BITS[kind](threefry.hash_counts(key, counts), *bounds)

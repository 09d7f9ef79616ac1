"""The draws of `jax.random`, bit for bit, in a form that XLA fuses on CPUs.

Entry i of a draw is a hash of the key and of i (JAX's "partitionable" threefry). On
CPUs JAX computes the 20 rounds of the hash in a loop that passes over the arrays in
memory twenty times. Here the rounds are unrolled, and XLA fuses them with the code that
uses the numbers: a dropout mask takes less than half the time.

Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minikeras.ops.by_platform import ByPlatform

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
# The bits of 1.0: with a random mantissa they are a number in [1, 2).
_ONE = np.float32(1.0).view(np.uint32)


def is_usable(key, dtype) -> bool:
    """Does `jax.random` draw the numbers of this file, for this key and dtype?"""
    # Without partitionable threefry, entry i depends on the shape too.
    return (
        np.dtype(dtype) == np.float32
        and getattr(key, "shape", None) == (2,)
        and key.dtype == np.uint32
        and bool(jax.config.jax_threefry_partitionable)  # pyright: ignore
        and not jax.config.jax_enable_x64  # pyright: ignore
    )


def hash_counts(key, counts):
    """threefry2x32 of the two words (0, count), its two output words combined by xor.

    Args:
        key: uint32 of shape (2,).
        counts: uint32 array.

    Returns:
        uint32 array of the shape of `counts`.
    """
    # The counts are the low halves of 64-bit indices, whose high halves are 0.
    words = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    x, y = jnp.full_like(counts, words[0]), counts + words[1]
    for i in range(5):
        for rotation in _ROTATIONS[i % 2]:
            x = x + y
            y = (y << np.uint32(rotation)) | (y >> np.uint32(32 - rotation))
            y = y ^ x
        x = x + words[(i + 1) % 3]
        y = y + words[(i + 2) % 3] + np.uint32(i + 1)
    return x ^ y


def _fused(key, shape):
    """The random bits by the unrolled rounds."""
    counts = lax.iota(np.uint32, math.prod(shape))
    return hash_counts(key, counts).reshape(shape)


def _by_jax(key, shape):
    """The random bits by JAX, whose loop GPUs and TPUs compile well."""
    return jax.random.bits(key, shape, "uint32")


_random_bits = ByPlatform("threefry_bits", _by_jax, cpu=_fused)


def random_bits(key, shape):
    """Uint32 random bits: `jax.random.bits(key, shape, "uint32")`."""
    return _random_bits(key, shape=tuple(shape))


def uniform(bits, low, high):
    """Random bits -> float32 in [low, high)."""
    low, high = jnp.float32(low), jnp.float32(high)
    # A float32 has 23 bits of mantissa: the upper 23 of the 32 bits.
    fraction = lax.bitcast_convert_type((bits >> 9) | _ONE, np.float32) - 1.0
    # Rounding may give a number below `low`, which JAX lifts in the same way.
    return lax.max(low, fraction * (high - low) + low)


def normal(bits):
    """Random bits -> float32 of N(0, 1)."""
    # The inverse error function is infinite at -1, which is therefore excluded.
    lowest = np.nextafter(np.float32(-1.0), np.float32(0.0))
    return np.float32(np.sqrt(2)) * lax.erf_inv(uniform(bits, lowest, 1.0))


def truncated_normal(bits):
    """Random bits -> float32 of N(0, 1), restricted to (-2, 2)."""
    root = np.float32(np.sqrt(2))
    low, high = lax.erf(np.float32([-2.0, 2.0]) / root)
    inside = np.nextafter(np.float32([-2.0, 2.0]), np.float32(0.0))
    # Rounding may reach ±2: JAX clips to the neighbours inside.
    return jnp.clip(root * lax.erf_inv(uniform(bits, low, high)), *inside)


FROM_BITS = {"uniform": uniform, "normal": normal, "truncated_normal": truncated_normal}


def draw_fused(kind, key, shape, *bounds):
    """Trace `jax.random.<kind>(key, shape, "float32", *bounds)` in fusible operations.

    Args:
        kind: "uniform" (with two bounds), "normal" or "truncated_normal" (at two
            standard deviations).
        key: raw threefry key, uint32 of shape (2,).
        shape: tuple of ints.
        bounds: numbers.
    """
    return FROM_BITS[kind](random_bits(key, shape), *bounds)


def bernoulli(key, p, shape):
    """True with probability p: `jax.random.bernoulli(key, p, shape)`."""
    if not is_usable(key, np.float32):
        return jax.random.bernoulli(key, p, shape)
    return uniform(random_bits(key, shape), 0.0, 1.0) < np.float32(p)

"""The functions of `keras.random`."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import typing

from minikeras.core import dtypes
from minikeras.core.variable import convert_to_tensor
from minikeras.random import block_draws, threefry
from minikeras.random.seed_generator import SeedGenerator, draw_seed

Shape = Sequence[int]
ArrayLike = typing.ArrayLike | Sequence
Seed = int | SeedGenerator | jax.Array | None
DType = str | np.dtype | type | None

# So many numbers are drawn by JAX's own loop in compiled code.
_FEW = 2048


def _check_float_dtype(dtype, function):
    """The JAX dtype; ValueError unless it is one of floats or complex numbers."""
    name = dtypes.standardize_dtype(dtype)
    if not (dtypes.is_float(name) or name in dtypes.COMPLEX):
        raise ValueError(
            f"`keras.random.{function}` requires a floating point `dtype`. "
            f"Received: dtype={dtype}."
        )
    return dtypes.as_jax(name)


def normal(
    shape: Shape,
    mean: ArrayLike = 0.0,
    stddev: ArrayLike = 1.0,
    dtype: DType = None,
    seed: Seed = None,
) -> jax.Array:
    """Random numbers of the normal distribution N(mean, stddev²).

    Args:
        shape: tuple of ints.
        mean, stddev: numbers, or arrays that broadcast to `shape`.
        dtype: float dtype; `floatx()` by default.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of `shape`.

    Raises:
        ValueError: `dtype` is no float dtype.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    dtype, key = _check_float_dtype(dtype, "normal"), draw_seed(seed)
    sample = _draw("normal", key, shape, dtype)
    if sample is None:
        sample = jax.random.normal(key, shape, dtype)
    return _scaled(sample, stddev, mean)


def _draw(kind, key, shape, dtype, *bounds):
    """`jax.random.<kind>` by our own faster programs; None where they do not apply.

    Returns a numpy array outside of traced code, a JAX array in it.
    """
    # An array of bounds would need a program for its shape.
    numbers = all(isinstance(bound, (int, float)) for bound in bounds)
    if not numbers or not threefry.is_usable(key, dtype):
        return None
    # XLA would fuse the hash of a few numbers, such as one for each image, with the
    # loop over all pixels that use them: RandomHue took 3.7 instead of 0.5 ms.
    if isinstance(key, jax.core.Tracer) and math.prod(shape) <= _FEW:
        return None
    sample = block_draws.draw_by_blocks(kind, key, shape, *bounds)
    if sample is None:
        return threefry.draw_fused(kind, key, shape, *bounds)
    return sample


def _scaled(sample, stddev, mean):
    """sample · stddev + mean as a JAX array."""
    # In numpy these are two passes in float32, rounded as JAX rounds them. In JAX they
    # would compile two programs for each shape.
    if isinstance(sample, np.ndarray):
        if isinstance(stddev, (int, float)) and isinstance(mean, (int, float)):
            sample = sample * np.float32(stddev) + np.float32(mean)
            return jax.device_put(sample)
    return jnp.asarray(sample) * stddev + mean


def truncated_normal(
    shape: Shape,
    mean: ArrayLike = 0.0,
    stddev: ArrayLike = 1.0,
    dtype: DType = None,
    seed: Seed = None,
) -> jax.Array:
    """Random numbers of N(mean, stddev²) within two standard deviations of the mean.

    Args:
        shape: tuple of ints.
        mean, stddev: numbers, or arrays that broadcast to `shape`.
        dtype: float dtype; `floatx()` by default.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of `shape`.

    Raises:
        ValueError: `dtype` is no float dtype.

    >>> x = truncated_normal((1000,), seed=1)
    >>> bool(abs(x).max() <= 2.0)
    True
    """
    dtype, key = _check_float_dtype(dtype, "truncated_normal"), draw_seed(seed)
    sample = _draw("truncated_normal", key, shape, dtype)
    if sample is None:
        sample = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return _scaled(sample, stddev, mean)


def uniform(
    shape: Shape,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
    dtype: DType = None,
    seed: Seed = None,
) -> jax.Array:
    """Random numbers of the uniform distribution on [minval, maxval).

    Args:
        shape: tuple of ints.
        minval, maxval: numbers, or arrays that broadcast to `shape`.
        dtype: float dtype; `floatx()` by default.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of `shape`.

    Raises:
        ValueError: `dtype` is no float dtype.

    >>> x = uniform((1000,), 2.0, 3.0, seed=1)
    >>> float(x.min()) >= 2.0, float(x.max()) < 3.0
    (True, True)
    """
    dtype, key = _check_float_dtype(dtype, "uniform"), draw_seed(seed)
    sample = _draw("uniform", key, shape, dtype, minval, maxval)
    if sample is None:
        return jax.random.uniform(key, shape, dtype, minval, maxval)
    return jax.device_put(sample) if isinstance(sample, np.ndarray) else sample


def randint(
    shape: Shape,
    minval: ArrayLike,
    maxval: ArrayLike,
    dtype: DType = "int32",
    seed: Seed = None,
) -> jax.Array:
    """Random integers in minval..maxval - 1, all equally probable.

    Args:
        shape: tuple of ints.
        minval: int, or array that broadcasts to `shape`.
        maxval: int, or array that broadcasts to `shape`; not included.
        dtype: integer dtype.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of `shape`.

    Raises:
        ValueError: `dtype` is no integer dtype.

    >>> sorted(set(randint((100,), 5, 8, seed=1).tolist()))
    [5, 6, 7]
    """
    if not dtypes.is_int(dtype):
        raise ValueError(
            "`keras.random.randint` requires an integer `dtype`. "
            f"Received: dtype={dtype}."
        )
    dtype = dtypes.as_jax(dtype)
    return jax.random.randint(draw_seed(seed), shape, minval, maxval, dtype)


def gamma(
    shape: Shape, alpha: ArrayLike, dtype: DType = None, seed: Seed = None
) -> jax.Array:
    """Random numbers of the gamma distribution of scale 1.

    Their density is proportional to x^(alpha - 1) e⁻ˣ.

    Args:
        shape: tuple of ints.
        alpha: number > 0, or array that broadcasts to `shape`.
        dtype: float dtype; `floatx()` by default.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of `shape`, with entries > 0.

    Raises:
        ValueError: `dtype` is no float dtype.

    >>> x = gamma((1000,), 3.0, seed=1)
    >>> 2.5 < float(x.mean()) < 3.5
    True
    """
    dtype = _check_float_dtype(dtype, "gamma")
    alpha = convert_to_tensor(alpha, dtype)
    return jax.random.gamma(draw_seed(seed), alpha, shape, dtype)


def beta(
    shape: Shape,
    alpha: ArrayLike,
    beta: ArrayLike,
    dtype: DType = None,
    seed: Seed = None,
) -> jax.Array:
    """Random numbers of the beta distribution.

    Their density is proportional to x^(alpha - 1) (1 - x)^(beta - 1).

    Args:
        shape: tuple of ints.
        alpha, beta: numbers > 0, or arrays that broadcast to `shape`.
        dtype: float dtype; `floatx()` by default.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of `shape`, with entries in [0, 1].

    Raises:
        ValueError: `dtype` is no float dtype.

    >>> x = beta((1000,), 1.0, 3.0, seed=1)
    >>> 0.2 < float(x.mean()) < 0.3
    True
    """
    dtype = _check_float_dtype(dtype, "beta")
    alpha, beta = convert_to_tensor(alpha, dtype), convert_to_tensor(beta, dtype)
    return jax.random.beta(draw_seed(seed), alpha, beta, shape, dtype)


def binomial(
    shape: Shape,
    counts: ArrayLike,
    probabilities: ArrayLike,
    dtype: DType = None,
    seed: Seed = None,
) -> jax.Array:
    """Numbers of successes in random trials, as floats.

    Args:
        shape: tuple of ints.
        counts: numbers of trials >= 0; broadcast to `shape`.
        probabilities: numbers in [0, 1], of a success; broadcast to `shape`.
        dtype: float dtype; `floatx()` by default.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of `shape`.

    Raises:
        ValueError: `dtype` is no float dtype.

    >>> binomial((3,), 5.0, 1.0, seed=1).tolist()
    [5.0, 5.0, 5.0]
    """
    dtype = _check_float_dtype(dtype, "binomial")
    # Half floats cannot count far: JAX draws in float32 and casts the result.
    counts, probabilities = map(convert_to_tensor, (counts, probabilities))
    return jax.random.binomial(draw_seed(seed), counts, probabilities, shape, dtype)


def categorical(
    logits: ArrayLike, num_samples: int, dtype: DType = "int32", seed: Seed = None
) -> jax.Array:
    """Random class indices with given unnormalized log-probabilities.

    Args:
        logits: (batch, classes) array of log-probabilities, up to a constant for each
            row.
        num_samples: int, draws for each row.
        dtype: integer dtype.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        (batch, num_samples) array.

    Raises:
        ValueError: `logits` has not two axes.

    >>> categorical([[0.0, -1e9], [-1e9, 0.0]], 3, seed=1).tolist()
    [[0, 0, 0], [1, 1, 1]]
    """
    scores = convert_to_tensor(logits)
    if scores.ndim != 2:
        raise ValueError(
            "categorical: expected logits of shape (batch, classes), got "
            f"{scores.shape}."
        )
    shape = (scores.shape[0], num_samples)
    key = draw_seed(seed)
    samples = jax.random.categorical(key, scores[..., None], axis=1, shape=shape)
    return samples.astype(dtypes.as_jax(dtype))


def shuffle(x: ArrayLike, axis: int = 0, seed: Seed = None) -> jax.Array:
    """The entries in random order along an axis, in another order for each 1-D slice.

    Args:
        x: array of at least one axis.
        axis: int.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of the shape and dtype of `x`.

    >>> sorted(shuffle([3, 1, 2], seed=1).tolist())
    [1, 2, 3]
    """
    x = convert_to_tensor(x)
    return jax.random.permutation(draw_seed(seed), x, axis, independent=True)


def _broadcasts(shape, to):
    """Does an array of the first shape broadcast to the second one?"""
    pairs = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(a in (1, b) for a, b in pairs)


def dropout(
    inputs: ArrayLike,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: Seed = None,
) -> jax.Array:
    """Zero entries with probability `rate`, divide the others by 1 - rate.

    Args:
        inputs: float array of any shape.
        rate: number in [0, 1].
        noise_shape: shape of the mask, which broadcasts to that of `inputs`; None in
            it is the size of `inputs`. By default the shape of `inputs`.
        seed: int, `SeedGenerator`, JAX key, or None for the global generator.

    Returns:
        Array of the shape and dtype of `inputs`.

    Raises:
        TypeError: `inputs` are not floats.
        ValueError: `noise_shape` does not broadcast.

    >>> x = dropout(jnp.ones((1000,)), 0.5, seed=1)
    >>> sorted(set(x.tolist()))
    [0.0, 2.0]
    """
    x = convert_to_tensor(inputs)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        raise TypeError(f"dropout: expected floats as inputs, got {x.dtype}.")
    keep = 1.0 - rate
    if keep <= 0:  # nothing is left to scale, and as in Keras nothing is drawn
        return jnp.zeros_like(x)
    key = draw_seed(seed)
    shape = x.shape
    if noise_shape is not None:
        sizes = dict(enumerate(x.shape))
        shape = tuple(
            sizes.get(i) if n is None else n for i, n in enumerate(noise_shape)
        )
        if not _broadcasts(shape, x.shape):
            raise ValueError(
                f"dropout: noise_shape={tuple(noise_shape)} does not broadcast to "
                f"{x.shape}, the shape of the inputs."
            )
    mask = jnp.broadcast_to(threefry.bernoulli(key, keep, shape), x.shape)
    return jax.lax.select(mask, x / keep, jnp.zeros_like(x))

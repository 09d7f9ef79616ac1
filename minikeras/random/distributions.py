"""The functions of `keras.random`."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes
from minikeras.core.variable import convert_to_tensor
from minikeras.random import block_draws as blocks
from minikeras.random import threefry
from minikeras.random.seed_generator import draw_seed


def _float(dtype, function):
    name = dtypes.standardize_dtype(dtype)
    if not (dtypes.is_float(name) or name in dtypes.COMPLEX):
        raise ValueError(
            f"`keras.random.{function}` requires a floating point `dtype`. "
            f"Received: dtype={dtype}."
        )
    return dtypes.as_jax(name)


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draw from the normal distribution N(mean, stddev²).

    Args:
        shape: tuple of ints.
        mean, stddev: numbers or arrays that broadcast to `shape`.
        dtype: float dtype, `floatx()` by default.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of `shape`.

    >>> normal((2,), seed=1).shape
    (2,)
    """
    dtype, key = _float(dtype, "normal"), draw_seed(seed)
    sample = _draw("normal", key, shape, dtype)
    if sample is None:
        sample = jax.random.normal(key, shape, dtype)
    return _scaled(sample, stddev, mean)


def _draw(kind, key, shape, dtype, *bounds):
    """`jax.random.<kind>` in a way that is faster; None where there is none."""
    numbers = all(isinstance(bound, (int, float)) for bound in bounds)
    if not numbers or not threefry.is_usable(key, dtype):
        return None
    sample = blocks.draw(kind, key, shape, *bounds)
    return threefry.draw(kind, key, shape, *bounds) if sample is None else sample


def _scaled(sample, stddev, mean):
    if isinstance(sample, np.ndarray):
        if isinstance(stddev, (int, float)) and isinstance(mean, (int, float)):
            sample = sample * np.float32(stddev) + np.float32(mean)
            return jax.device_put(sample)
    return jnp.asarray(sample) * stddev + mean


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draw from N(mean, stddev²), restricted to two stddev around the mean.

    Args and Returns: as `normal`.
    """
    dtype, key = _float(dtype, "truncated_normal"), draw_seed(seed)
    sample = _draw("truncated_normal", key, shape, dtype)
    if sample is None:
        sample = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return _scaled(sample, stddev, mean)


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Draw evenly from [minval, maxval).

    Args:
        shape: tuple of ints.
        minval, maxval: numbers or arrays that broadcast to `shape`.
        dtype: float dtype, `floatx()` by default.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of `shape`.
    """
    dtype, key = _float(dtype, "uniform"), draw_seed(seed)
    sample = _draw("uniform", key, shape, dtype, minval, maxval)
    if sample is None:
        return jax.random.uniform(key, shape, dtype, minval, maxval)
    return jax.device_put(sample) if isinstance(sample, np.ndarray) else sample


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Draw integers evenly from minval..maxval - 1.

    Args:
        shape: tuple of ints.
        minval, maxval: ints or arrays that broadcast to `shape`.
        dtype: integer dtype.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of `shape`.
    """
    if not dtypes.is_int(dtype):
        raise ValueError(
            "`keras.random.randint` requires an integer `dtype`. "
            f"Received: dtype={dtype}."
        )
    dtype = dtypes.as_jax(dtype)
    return jax.random.randint(draw_seed(seed), shape, minval, maxval, dtype)


def gamma(shape, alpha, dtype=None, seed=None):
    """Draw from the gamma distribution of shape parameter alpha and scale 1.

    Args:
        shape: tuple of ints.
        alpha: positive; broadcasts to `shape`.
        dtype: float dtype, `floatx()` by default.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of `shape`.
    """
    dtype = _float(dtype, "gamma")
    alpha = convert_to_tensor(alpha, dtype)
    return jax.random.gamma(draw_seed(seed), alpha, shape, dtype)


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Draw from the beta distribution: density ∝ x^(alpha - 1) (1 - x)^(beta - 1).

    Args:
        shape: tuple of ints.
        alpha, beta: positive; broadcast to `shape`.
        dtype: float dtype, `floatx()` by default.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of `shape`, values in [0, 1].
    """
    dtype = _float(dtype, "beta")
    alpha, beta = convert_to_tensor(alpha, dtype), convert_to_tensor(beta, dtype)
    return jax.random.beta(draw_seed(seed), alpha, beta, shape, dtype)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """Draw the number of successes in `counts` trials.

    Args:
        shape: tuple of ints.
        counts: numbers of trials, >= 0; broadcasts to `shape`.
        probabilities: of success in one trial, in [0, 1]; broadcasts to `shape`.
        dtype: float dtype, `floatx()` by default.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of `shape`.
    """
    dtype = _float(dtype, "binomial")
    # Half floats cannot count far: JAX draws in float32 and casts the result.
    counts, probabilities = map(convert_to_tensor, (counts, probabilities))
    return jax.random.binomial(draw_seed(seed), counts, probabilities, shape, dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    """Draw class indices with probabilities softmax(logits).

    Args:
        logits: (batch, classes) unnormalized log-probabilities.
        num_samples: draws per row.
        dtype: integer dtype.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        (batch, num_samples) integers in 0..classes - 1.

    Raises:
        ValueError: `logits` is not 2-dimensional.
    """
    logits = convert_to_tensor(logits)
    if logits.ndim != 2:
        raise ValueError(
            "categorical: expected logits of shape (batch, classes), got "
            f"{logits.shape}."
        )
    shape = (logits.shape[0], num_samples)
    key = draw_seed(seed)
    samples = jax.random.categorical(key, logits[..., None], axis=1, shape=shape)
    return samples.astype(dtypes.as_jax(dtype))


def shuffle(x, axis=0, seed=None):
    """Permute the entries along an axis, each lane by its own permutation.

    Args:
        x: array of any dtype.
        axis: the axis.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of the shape of `x`.
    """
    x = convert_to_tensor(x)
    return jax.random.permutation(draw_seed(seed), x, axis, independent=True)


def _broadcasts(shape, to):
    pairs = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(a in (1, b) for a, b in pairs)


def dropout(inputs, rate, noise_shape=None, seed=None):
    """Zero entries with probability `rate`, scale the others by 1 / (1 - rate).

    Args:
        inputs: float array.
        rate: in [0, 1].
        noise_shape: shape of the mask; it broadcasts to that of `inputs`, None in it
            stands for the size of `inputs`.
        seed: int, `SeedGenerator` or None (the global generator).

    Returns:
        Array of the shape of `inputs`.
    """
    inputs = convert_to_tensor(inputs)
    if not jnp.issubdtype(inputs.dtype, jnp.inexact):
        raise TypeError(f"dropout: expected floats as inputs, got {inputs.dtype}.")
    keep = 1.0 - rate
    if keep <= 0:  # nothing is left to scale, and as in Keras nothing is drawn
        return jnp.zeros_like(inputs)
    key = draw_seed(seed)
    shape = inputs.shape
    if noise_shape is not None:
        sizes = dict(enumerate(inputs.shape))
        shape = tuple(
            sizes.get(i) if n is None else n for i, n in enumerate(noise_shape)
        )
        if not _broadcasts(shape, inputs.shape):
            raise ValueError(
                f"dropout: noise_shape={tuple(noise_shape)} does not broadcast to "
                f"{inputs.shape}, the shape of the inputs."
            )
    mask = jnp.broadcast_to(threefry.bernoulli(key, keep, shape), inputs.shape)
    return jax.lax.select(mask, inputs / keep, jnp.zeros_like(inputs))

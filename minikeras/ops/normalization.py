"""Moments and the normalizations built on them."""

import functools
import math
import warnings

import jax
import jax.numpy as jnp

from minikeras import settings
from minikeras.core.keras_tensor import KerasTensor
from minikeras.ops.arguments import as_axes, axes_tuple
from minikeras.ops.convert import as_array, half_to_float32
from minikeras.ops.keras_modules import nn_op

__all__ = [
    "batch_normalization", "layer_normalization", "moments", "normalize",
    "rms_normalization",
]  # fmt: skip


def _clip_to(x, dtype):
    """`x` in `dtype`, where numbers beyond its range become its bounds."""
    # As in Keras. A cast would give ∞.
    if x.dtype == dtype:
        return x
    info = jnp.finfo(dtype)
    return jnp.clip(x, info.min, info.max).astype(dtype)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _variance(x, axes):
    """mean((x - mean(x))²), with reduced axes of size 1."""
    return jnp.var(x, axes, keepdims=True)


@_variance.defjvp
def _variance_jvp(axes, primals, tangents):
    """The derivative 2 · mean((x - mean(x)) · dx)."""
    # The derivative of mean(x) is left out: it is multiplied by Σ(x - mean(x)) = 0. JAX
    # would compute it, in one more pass over x.
    (x,), (dx,) = primals, tangents
    centered = x - jnp.mean(x, axes, keepdims=True)
    return _variance(x, axes), 2 * jnp.mean(centered * dx, axes, keepdims=True)


@nn_op
def moments(x, axes, keepdims=False, synchronized=False):
    """Mean and variance mean((x - mean(x))²).

    Args:
        x: array of any shape; half floats are summed in float32.
        axes: int, or tuple of ints: the axes to reduce.
        keepdims: keep reduced axes with size 1.
        synchronized: must be False; under `jit` an array that spans devices is reduced
            over all of them anyway.

    Returns:
        Mean and variance, of the dtype of `x`.

    Raises:
        NotImplementedError: `synchronized` is True.

    >>> mean, variance = moments([[1.0, 7.0], [5.0, 2.0]], axes=1)
    >>> mean.tolist(), variance.tolist()
    ([4.0, 3.5], [9.0, 2.25])
    """
    if synchronized:
        raise NotImplementedError(
            "moments: synchronized=True is not available; under jit an array that "
            "spans devices is reduced over all of them anyway."
        )
    x = as_array(x)
    axes = as_axes(axes)
    wide = half_to_float32(x)
    mean = jnp.mean(wide, axes, keepdims=True)
    variance = _variance(wide, axes)  # equal to the bit to `jnp.var`
    if not keepdims:
        mean, variance = jnp.squeeze(mean, axes), jnp.squeeze(variance, axes)
    if wide is x:
        return mean, variance
    return _clip_to(mean, x.dtype), _clip_to(variance, x.dtype)


@nn_op(
    name="BatchNorm",
    tensors=("x", "mean", "variance", "offset", "scale"),
    records_none=True,
)
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """(x - mean) / √(variance + epsilon) [· scale] [+ offset].

    Args:
        x: array of any shape.
        mean: (n,) array, where n is the size of `axis`.
        variance: (n,) array.
        axis: int, the axis that has statistics of its own for each entry.
        offset: (n,) array, or None for none.
        scale: (n,) array, or None for none.
        epsilon: number added to the variance.

    Returns:
        Array of the shape of `x`.

    Raises:
        ValueError: a statistic or weight has another shape.

    >>> x, mean, variance = [[1.0, 2.0], [3.0, 6.0]], [2.0, 4.0], [1.0, 4.0]
    >>> batch_normalization(x, mean, variance, axis=-1, epsilon=0.0).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """
    x = as_array(x)
    size, shape = x.shape[axis], [1] * x.ndim
    shape[axis] = size

    def vector(name, weight):
        weight = as_array(weight)
        if weight.shape != (size,):
            raise ValueError(
                f"batch_normalization: `{name}` must be a vector of length {size}, the "
                f"size of axis {axis} of the input; got shape {weight.shape}."
            )
        return weight.reshape(shape)

    # (n,) factors and offsets first: one multiplication and one addition for each entry
    # of x.
    factor = jax.lax.rsqrt(vector("variance", variance) + epsilon)
    if scale is not None:
        factor = factor * vector("scale", scale)
    shift = -vector("mean", mean) * factor
    if offset is not None:
        shift = shift + vector("offset", offset)
    return x * factor + shift


def _same_spec(trace, x, *weights, **settings):
    """The shape and dtype of `x`. Weights are checked when there are arrays."""
    return KerasTensor(x.shape, x.dtype)


def _spread(weight, x, axes):
    """A weight with the sizes of `axes`, reshaped so that it broadcasts with `x`."""
    weight, shape = as_array(weight), [1] * x.ndim
    for axis in axes:
        shape[axis] = x.shape[axis]
    # Others broadcast as they are, or fail with JAX's message.
    fits = weight.ndim < x.ndim and weight.size == math.prod(shape)
    return weight.reshape(shape) if fits else weight


def _scale_and_shift(x, axes, epsilon, gamma=1.0, beta=0.0):
    """The numbers (factor, shift) with normalized x = x · factor + shift."""
    factor = jax.lax.rsqrt(jnp.var(x, axes, keepdims=True) + epsilon) * gamma
    return factor, beta - jnp.mean(x, axes, keepdims=True) * factor


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _layer_norm(x, axes, epsilon, gamma, beta):
    """(x - mean) / √(variance + ε) · gamma + beta, moments over `axes`."""
    factor, shift = _scale_and_shift(x, axes, epsilon, gamma, beta)
    return x * factor + shift


@_layer_norm.defjvp
def _layer_norm_jvp(axes, primals, tangents):
    """The derivative in terms of the normalized x: two sums for a gradient."""
    x, epsilon, gamma, beta = primals
    dx, depsilon, dgamma, dbeta = tangents
    mean = functools.partial(jnp.mean, axis=axes, keepdims=True)
    (factor, _), middle = _scale_and_shift(x, axes, epsilon), mean(x)
    # Rounding leaves a remainder in the mean, which matters in rows far from zero.
    rest = mean(x - middle)
    # Without the barrier XLA keeps the normalized x of the forward pass. Computing it
    # again halves the temporary arrays: on CPUs a third of the time.
    factor, middle, rest = jax.lax.optimization_barrier((factor, middle, rest))
    normal = (x - middle - rest) * factor
    # `normal` has mean 0 and mean square 1, up to epsilon: the derivative of the
    # moments projects dx on both and subtracts the projections.
    d = factor * dx
    d = d - mean(d) - normal * (mean(normal * d) + factor * factor * (depsilon / 2))
    y = _layer_norm(x, axes, epsilon, gamma, beta)
    return y, d * gamma + normal * dgamma + dbeta


@nn_op(
    name="LayerNorm", tensors=("x", "gamma", "beta"), spec=_same_spec, records_none=True
)
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """(x - mean) / √(variance + epsilon) [· gamma] [+ beta], moments over `axis`.

    Args:
        x: array of any shape; half floats are computed in float32.
        gamma: array of the sizes of `axis`, or None for none.
        beta: array of the sizes of `axis`, or None for none.
        axis: int, or tuple of ints.
        epsilon: number added to the variance; `keras.config.epsilon()` by default.
        **kwargs: `rms_scaling=True`, deprecated, returns x / √(variance + epsilon)
            [· gamma].

    Returns:
        Array of the shape and dtype of `x`.

    >>> layer_normalization([[1.0, 3.0]], beta=[10.0, 0.0], epsilon=0.0).tolist()
    [[9.0, 1.0]]
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if rms_scaling:
        warnings.warn(
            "You passed `rms_scaling=True`, which is deprecated: it never was RMS "
            "normalization. Use `rms_normalization`.",
            stacklevel=2,
        )
    epsilon = settings.epsilon() if epsilon is None else epsilon
    x = as_array(x)
    axes, wide = axes_tuple(axis), half_to_float32(x)
    gamma = 1.0 if gamma is None else _spread(gamma, x, axes).astype(wide.dtype)
    beta = 0.0 if beta is None else _spread(beta, x, axes).astype(wide.dtype)
    if rms_scaling:
        # The moments are still centred here, as in Keras's deprecated argument.
        y = wide * _scale_and_shift(wide, axes, epsilon, gamma)[0]
    else:
        # A float: an integer epsilon would have no tangent.
        y = _layer_norm(wide, axes, 1.0 * epsilon, gamma, beta)
    return y.astype(x.dtype)


@nn_op(name="RMSNorm", tensors=("x", "scale"), spec=_same_spec, records_none=True)
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """x / √(mean(x²) + epsilon) [· scale], the mean over `axis`.

    Args:
        x: array of any shape; half floats are computed in float32.
        scale: array of the sizes of `axis`, or None for none.
        axis: int, or tuple of ints.
        epsilon: number added to the mean; `keras.config.epsilon()` by default.

    Returns:
        Array of the shape and dtype of `x`.

    >>> rms_normalization([[3.0, 4.0]]).tolist()
    [[0.848..., 1.131...]]
    """
    epsilon = settings.epsilon() if epsilon is None else epsilon
    x = as_array(x)
    axes, wide = axes_tuple(axis), half_to_float32(x)
    squares = jnp.mean(jnp.square(wide), axes, keepdims=True)
    y = wide * jax.lax.rsqrt(squares + epsilon)
    if scale is not None:
        y = y * _spread(scale, x, axes)
    return y.astype(x.dtype)


@nn_op
def normalize(x, axis=-1, order=2, epsilon=None):
    """x / max(‖x‖, epsilon), the norm along an axis.

    Args:
        x: float array of any shape.
        axis: int, or tuple of ints.
        order: int >= 1, the order of the norm.
        epsilon: least norm to divide by; `keras.config.epsilon()` by default.

    Returns:
        Array of the shape of `x`.

    Raises:
        ValueError: `order` is no such int.

    >>> normalize([[3.0, 4.0]], order=1).round(3).tolist()
    [[0.429..., 0.571...]]
    """
    x = as_array(x)
    epsilon = settings.epsilon() if epsilon is None else epsilon
    axis = as_axes(axis)
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1, got {order!r}.")
    if order == 2:
        squares = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
        # 1 / √0 is ∞ and becomes 1 / epsilon: no division by 0 in the value.
        return x * jnp.minimum(jax.lax.rsqrt(squares), 1 / epsilon)
    norms = jnp.linalg.norm(x, order, axis, keepdims=True)
    return x / jnp.maximum(norms, epsilon)

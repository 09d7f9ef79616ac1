"""Activation functions."""

import functools
import warnings

import jax.numpy as jnp
from jax import nn

from minikeras.core.bridge import current
from minikeras.core.naming import first_time
from minikeras.core.unknown_sizes import shown_shape
from minikeras.ops.arguments import as_axes
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import NN, nn_op
from minikeras.ops.op_makers import unary

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax", "relu",
    "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
    "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish",
    "tanh_shrink", "threshold",
]  # fmt: skip
nn_unary = functools.partial(unary, module=NN)

hard_sigmoid = nn_unary(
    nn.hard_sigmoid,
    "min(max(x / 6 + ½, 0), 1).",
    "[-3.0, 1.5, 4.0] -> [0.0, 0.75, 1.0]",
    "hard_sigmoid",
)
hard_silu = nn_unary(
    nn.hard_silu,
    "x · hard_sigmoid(x).",
    "[-1.5, 1.5, 4.0] -> [-0.375, 1.125, 4.0]",
    "hard_silu",
)
hard_tanh = nn_unary(
    nn.hard_tanh,
    "min(max(x, -1), 1).",
    "[-3.0, 0.5, 4.0] -> [-1.0, 0.5, 1.0]",
    "hard_tanh",
)
log_sigmoid = nn_unary(
    nn.log_sigmoid,
    "log(sigmoid(x)) = -log(1 + e⁻ˣ).",
    "[-1.0, 0.0] -> [-1.313..., -0.693...]",
    "log_sigmoid",
)
relu = nn_unary(nn.relu, "max(x, 0).", "[-1.0, 2.0] -> [0.0, 2.0]", "relu")
relu6 = nn_unary(
    nn.relu6, "min(max(x, 0), 6).", "[-1.0, 2.0, 9.0] -> [0.0, 2.0, 6.0]", "relu6"
)
selu = nn_unary(
    nn.selu, "1.0507 · elu(x, 1.6733).", "[-1.0, 2.0] -> [-1.111..., 2.101...]", "selu"
)
sigmoid = nn_unary(
    nn.sigmoid, "1 / (1 + e⁻ˣ).", "[-1.0, 0.0] -> [0.268..., 0.5]", "sigmoid"
)
silu = nn_unary(
    nn.silu, "x · sigmoid(x).", "[-1.0, 2.0] -> [-0.268..., 1.761...]", "silu"
)
softplus = nn_unary(
    nn.softplus, "log(1 + eˣ).", "[-1.0, 2.0] -> [0.313..., 2.126...]", "softplus"
)
softsign = nn_unary(
    nn.soft_sign, "x / (1 + |x|).", "[-1.0, 3.0] -> [-0.5, 0.75]", "softsign"
)
sparse_plus = nn_unary(
    nn.sparse_plus,
    "0 for x <= -1, x for x >= 1, ¼(x + 1)² between.",
    "[-2.0, 0.0, 3.0] -> [0.0, 0.25, 3.0]",
    "sparse_plus",
)
sparse_sigmoid = nn_unary(
    nn.sparse_sigmoid,
    "min(max(½(x + 1), 0), 1).",
    "[-2.0, 0.5, 3.0] -> [0.0, 0.75, 1.0]",
    "sparse_sigmoid",
)
tanh_shrink = nn_unary(
    lambda x: x - jnp.tanh(x),
    "x - tanh(x).",
    "[-1.0, 2.0] -> [-0.238..., 1.0359...]",
    "tanh_shrink",
)

hard_swish = hard_silu
swish = silu


@nn_op
def celu(x, alpha=1.0):
    """max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1).

    Args:
        x: array of any shape.
        alpha: number > 0; the limit for x -> -∞ is -alpha.

    Returns:
        Array of the shape of `x`.

    >>> celu([-1.0, 2.0], alpha=2.0).tolist()
    [-0.786..., 2.0]
    """
    return nn.celu(as_array(x), alpha)


@nn_op
def elu(x, alpha=1.0):
    """x where x > 0, else alpha (eˣ - 1).

    Args:
        x: array of any shape.
        alpha: number; the limit for x -> -∞ is -alpha.

    Returns:
        Array of the shape of `x`.

    >>> elu([-1.0, 2.0]).tolist()
    [-0.632..., 2.0]
    """
    return nn.elu(as_array(x), alpha)


@nn_op
def gelu(x, approximate=True):
    """x Φ(x), with Φ the normal distribution function.

    Args:
        x: array of any shape.
        approximate: use ½x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Returns:
        Array of the shape of `x`.

    >>> gelu([-1.0, 2.0], approximate=False).tolist()
    [-0.158..., 1.954...]
    """
    return nn.gelu(as_array(x), approximate)


@nn_op
def glu(x, axis=-1):
    """a · sigmoid(b), with `x` split along an axis into halves a and b.

    Args:
        x: array with an even size along `axis`.
        axis: int.

    Returns:
        Array with half of the size along `axis`.

    Raises:
        ValueError: the size along `axis` is odd.

    >>> glu([1.0, 2.0, 0.0, 3.0]).tolist()
    [0.5, 1.905...]
    """
    x = as_array(x)
    if x.shape[axis] % 2:
        raise ValueError(f"glu: axis {axis} of shape {x.shape} has no two halves.")
    return nn.glu(x, axis)


@nn_op
def hard_shrink(x, threshold=0.5):
    """x where |x| > threshold, else 0.

    Args:
        x: array of any shape.
        threshold: number >= 0.

    Returns:
        Array of the shape of `x`.

    >>> hard_shrink([-1.0, 0.25, 2.0]).tolist()
    [-1.0, 0.0, 2.0]
    """
    x = as_array(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@nn_op
def leaky_relu(x, negative_slope=0.2):
    """x where x >= 0, else negative_slope · x.

    Args:
        x: array of any shape.
        negative_slope: number, the slope for x < 0.

    Returns:
        Array of the shape of `x`.

    >>> leaky_relu([-1.0, 2.0], negative_slope=0.25).tolist()
    [-0.25, 2.0]
    """
    return nn.leaky_relu(as_array(x), negative_slope)


@nn_op
def soft_shrink(x, threshold=0.5):
    """sign(x) · max(|x| - threshold, 0).

    Args:
        x: array of any shape.
        threshold: number >= 0.

    Returns:
        Array of the shape of `x`.

    >>> soft_shrink([-1.0, 0.25, 2.0]).tolist()
    [-0.5, 0.0, 1.5]
    """
    x = as_array(x)
    below = jnp.where(x < -threshold, x + threshold, 0.0)
    return jnp.where(x > threshold, x - threshold, below)


@nn_op
def sparsemax(x, axis=-1):
    """Euclidean projection on the probability simplex: max(x - τ, 0).

    τ is the number that makes the sum along `axis` 1.

    Args:
        x: array of any shape.
        axis: int.

    Returns:
        Array of the shape of `x`, with entries in [0, 1].

    Source: A. Martins and R. Astudillo, arXiv:1602.02068.

    >>> sparsemax([3.0, 2.5, 0.0]).tolist()
    [0.75, 0.25, 0.0]
    """
    x = jnp.moveaxis(as_array(x), axis, -1)
    # The k greatest entries are the support, with the greatest k for which entry k of
    # the descending order is above (their sum - 1) / k. That quotient is τ.
    ordered = -jnp.sort(-x, axis=-1)
    sums = jnp.cumsum(ordered, axis=-1)
    counts = jnp.arange(1, x.shape[-1] + 1)
    support = ordered > (sums - 1) / counts
    total = jnp.sum(jnp.where(support, ordered, 0.0), axis=-1, keepdims=True)
    tau = (total - 1) / jnp.sum(support, axis=-1, keepdims=True)
    return jnp.moveaxis(jnp.maximum(x - tau, 0), -1, axis)


# `op` would take a parameter named b for an array; here it is a number of the config.
@nn_op(tensors=("x",))
def squareplus(x, b=4):
    """½ (x + √(x² + b)).

    Args:
        x: array of any shape.
        b: number >= 0; 0 gives `relu`.

    Returns:
        Array of the shape of `x`.

    >>> squareplus([-1.5, 0.0]).tolist()
    [0.5, 1.0]
    """
    return nn.squareplus(as_array(x), b)


@nn_op
def threshold(x, threshold, default_value):
    """x where x > threshold, else default_value.

    Args:
        x: array of any shape.
        threshold: number.
        default_value: number for entries up to the threshold.

    Returns:
        Array of the shape of `x`.

    >>> threshold([-1.0, 0.5, 2.0], 1.0, -3.0).tolist()
    [-3.0, -3.0, 2.0]
    """
    x = as_array(x)
    return jnp.where(x > threshold, x, default_value)


@nn_op
def softmax(x, axis=-1):
    """eˣ / Σ eˣ, the sum over an axis.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.

    Returns:
        Array of the shape of `x`; its sums over `axis` are 1.

    >>> softmax([[1.0, 1.0], [0.0, 1.0]]).tolist()
    [[0.5, 0.5], [0.268..., 0.731...]]
    """
    x = as_array(x)
    if isinstance(axis, int) and x.shape[axis : axis + 1 or None] == (1,):
        _warn_of_ones(x, axis)
    return nn.softmax(x, as_axes(axis))


def _warn_of_ones(x, axis):
    """Warn that a softmax over one entry is 1: once for a layer, else on each call."""
    # Usual causes: `Dense(1)` with softmax for two classes, or a wrong axis.
    path = current().path
    if path and not first_time("softmax of ones", path):
        return
    where = f"a tensor in layer {'/'.join(path)!r}" if path else "a tensor"
    warnings.warn(
        f"You are using a softmax over axis {axis} of {where} of shape "
        f"{shown_shape(x)}. This axis has size 1. The softmax operation will always "
        "return the value 1, which is likely not what you intended. Did you mean to "
        "use a sigmoid instead?",
        stacklevel=3,
    )


@nn_op
def log_softmax(x, axis=-1):
    """x - log Σ eˣ, the sum over an axis, without overflow.

    Args:
        x: array of any shape.
        axis: int, tuple of ints, or None for all axes.

    Returns:
        Array of the shape of `x`.

    >>> log_softmax([0.0, 1000.0]).tolist()
    [-1000.0, 0.0]
    """
    return nn.log_softmax(as_array(x), as_axes(axis))

"""The activations that differ from the function of that name in `keras.ops`."""

import jax
import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.core.variable import as_array
from minikeras.ops import activation, elementwise


@op(name="ReLU", module="keras.src.activations.activations")
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """min(x, max_value) for x >= threshold, else negative_slope (x - threshold).

    Args:
        x: array of any shape.
        negative_slope: slope below the threshold, >= 0.
        max_value: upper bound, None for none.
        threshold: below it the output is small or 0.

    Returns:
        Array of the shape of `x`.

    >>> relu([-2.0, 1.0, 9.0], negative_slope=0.5, max_value=6.0).tolist()
    [-1.0, 1.0, 6.0]
    """
    x = as_array(x)
    # Which function computes a case decides the gradient at its kinks.
    if negative_slope != 0 and max_value is None and threshold == 0:
        return jax.nn.leaky_relu(x, negative_slope)
    if threshold != 0:
        y = x * (x > threshold).astype(x.dtype)
    elif max_value == 6:
        y, max_value = jax.nn.relu6(x), None
    else:
        y = jax.nn.relu(x)
    if max_value is not None:
        y = jnp.clip(y, 0, max_value)
    if negative_slope != 0:
        y = y - negative_slope * jax.nn.relu(threshold - x)
    return y


def gelu(x, approximate=False):
    """x Φ(x), with Φ the normal distribution function.

    Args:
        x: array of any shape.
        approximate: use ½x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Returns:
        Array of the shape of `x`.
    """
    return activation.gelu(x, approximate)


def exponential(x):
    """exp(x)."""
    return elementwise.exp(x)


def mish(x):
    """x tanh(log(1 + exp(x)))."""
    return x * elementwise.tanh(activation.softplus(x))


def linear(x):
    """x itself."""
    return x

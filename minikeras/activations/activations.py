"""The activations that differ from the op of the same name in `keras.ops`."""

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
        negative_slope: >= 0; slope below the threshold.
        max_value: >= 0; upper bound of the output; None: no bound.
        threshold: below it the output is negative_slope (x - threshold).

    Returns:
        Array of the shape of `x`.

    >>> relu([-2.0, 1.0, 9.0], negative_slope=0.5, max_value=6.0).tolist()
    [-1.0, 1.0, 6.0]
    """
    x = as_array(x)
    # As in Keras, several functions compute the cases. They differ in their gradients
    # at the kinks: that of `jax.nn.relu` at 0 is 0, that of `leaky_relu` is 1.
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
    """x Φ(x), where Φ is the distribution function of the standard normal.

    Args:
        x: array of any shape.
        approximate: True computes ½x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Returns:
        Array of the shape of `x`.

    >>> gelu(jnp.array([-1.0, 0.0, 1.0])).round(3).tolist()
    [-0.159..., 0.0, 0.841...]
    """
    return activation.gelu(x, approximate)


def exponential(x):
    """exp(x).

    Args:
        x: array of any shape.

    Returns:
        Array of the shape of `x`.

    >>> exponential(jnp.array([0.0, 1.0])).tolist()
    [1.0, 2.718281...]
    """
    return elementwise.exp(x)


def mish(x):
    """x tanh(log(1 + exp(x))).

    Args:
        x: array of any shape.

    Returns:
        Array of the shape of `x`.

    >>> mish(jnp.array([0.0, 1.0])).tolist()
    [0.0, 0.865098...]
    """
    return x * elementwise.tanh(activation.softplus(x))


def linear(x):
    """x itself.

    Args:
        x: array of any shape.

    Returns:
        Array of the shape of `x`.

    >>> linear([1, 2])
    [1, 2]
    """
    return x

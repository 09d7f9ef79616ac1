"""Layers that add, subtract, multiply, average or compare inputs entry by entry."""

import jax.numpy as jnp

from minikeras import ops
from minikeras.layers.merging.merge import Merge


def _extreme_value(dtype, sign):
    """The smallest (sign -1) or largest (sign 1) value of a dtype."""
    if dtype.name == "bool":
        return sign > 0
    floating = jnp.issubdtype(dtype, jnp.floating)
    info = jnp.finfo(dtype) if floating else jnp.iinfo(dtype)
    return info.max if sign > 0 else info.min


class Add(Merge):
    """Add inputs: x1 + x2 + ...

    Call it on a list of arrays (batch, ...). Samples broadcast: (batch, n) and
    (batch, m, n) combine as (batch, 1, n) and (batch, m, n).

    Args:
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not a list, or do not broadcast.

    >>> keras.layers.Add()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    _mk_merge_function = staticmethod(ops.add)


class Subtract(Merge):
    """Subtract the second of two inputs from the first: x1 - x2.

    Call it on a list of arrays (batch, ...). Samples broadcast: (batch, n) and
    (batch, m, n) combine as (batch, 1, n) and (batch, m, n).

    Args:
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not a list, or do not broadcast.

    >>> keras.layers.Subtract()([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    _mk_input_count = 2
    _mk_merge_function = staticmethod(ops.subtract)


class Multiply(Merge):
    """Multiply inputs: x1 * x2 * ...

    Masked entries of an input count as 1; the output is 0 where all inputs are masked.
    Call it on a list of arrays (batch, ...). Samples broadcast: (batch, n) and
    (batch, m, n) combine as (batch, 1, n) and (batch, m, n).

    Args:
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not a list, or do not broadcast.

    >>> keras.layers.Multiply()([np.full((1, 2), 3.0), np.full((1, 2), 2.0)]).tolist()
    [[6.0, 6.0]]
    """

    _mk_merge_function = staticmethod(ops.multiply)

    @staticmethod
    def _mk_neutral(dtype):
        """1"""
        return 1

    @staticmethod
    def _mk_all_masked(first):
        """0"""
        return jnp.zeros_like(first)


class Average(Merge):
    """Average inputs: (x1 + x2 + ... + xn) / n.

    As in Keras, masked entries take part.
    Call it on a list of arrays (batch, ...). Samples broadcast: (batch, n) and
    (batch, m, n) combine as (batch, 1, n) and (batch, m, n).

    Args:
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not a list, or do not broadcast.

    >>> keras.layers.Average()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.5, 0.5]]
    """

    _mk_merge_function = staticmethod(ops.add)

    def call(self, inputs):
        """Return the mean of the inputs."""
        return ops.divide(super().call(inputs), len(inputs))


class Maximum(Merge):
    """Take the largest value of each entry: max(x1, x2, ...).

    Masked entries of an input do not take part.
    Call it on a list of arrays (batch, ...). Samples broadcast: (batch, n) and
    (batch, m, n) combine as (batch, 1, n) and (batch, m, n).

    Args:
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not a list, or do not broadcast.

    >>> keras.layers.Maximum()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[1.0, 1.0]]
    """

    _mk_merge_function = staticmethod(ops.maximum)

    @staticmethod
    def _mk_neutral(dtype):
        """The smallest value of the dtype."""
        return _extreme_value(dtype, -1)


class Minimum(Merge):
    """Take the smallest value of each entry: min(x1, x2, ...).

    Masked entries of an input do not take part.
    Call it on a list of arrays (batch, ...). Samples broadcast: (batch, n) and
    (batch, m, n) combine as (batch, 1, n) and (batch, m, n).

    Args:
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: in a call: inputs that are not a list, or do not broadcast.

    >>> keras.layers.Minimum()([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """

    _mk_merge_function = staticmethod(ops.minimum)

    @staticmethod
    def _mk_neutral(dtype):
        """The largest value of the dtype."""
        return _extreme_value(dtype, 1)

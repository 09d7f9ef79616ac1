"""Add, Subtract, Multiply, Average, Maximum, Minimum: one function each."""

import jax.numpy as jnp

from minikeras import ops
from minikeras.layers.merging.merge import Merge


def _limit(dtype, sign):
    """The smallest (sign -1) or largest value of a dtype."""
    if dtype.name == "bool":
        return sign > 0
    floating = jnp.issubdtype(dtype, jnp.floating)
    info = jnp.finfo(dtype) if floating else jnp.iinfo(dtype)
    return info.max if sign > 0 else info.min


class Add(Merge):
    """x1 + x2 + ...

    >>> Add()([jnp.ones((1, 2)), jnp.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """

    merge_function = staticmethod(ops.add)


class Subtract(Merge):
    """x1 - x2."""

    count = 2
    merge_function = staticmethod(ops.subtract)


class Multiply(Merge):
    """x1 * x2 * ..., without masked entries."""

    merge_function = staticmethod(ops.multiply)

    @staticmethod
    def neutral(dtype):
        """1"""
        return 1

    @staticmethod
    def unseen(first):
        """0"""
        return jnp.zeros_like(first)


class Average(Merge):
    """(x1 + x2 + ...) / n; masked entries count too."""

    merge_function = staticmethod(ops.add)

    def call(self, inputs):
        """The mean of the inputs"""
        return ops.divide(super().call(inputs), len(inputs))


class Maximum(Merge):
    """The largest of each entry, without masked ones."""

    merge_function = staticmethod(ops.maximum)

    @staticmethod
    def neutral(dtype):
        """The smallest value"""
        return _limit(dtype, -1)


class Minimum(Merge):
    """The smallest of each entry, without masked ones."""

    merge_function = staticmethod(ops.minimum)

    @staticmethod
    def neutral(dtype):
        """The largest value"""
        return _limit(dtype, 1)

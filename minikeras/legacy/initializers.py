"""Initializers under the names of Keras 1 and 2."""

from minikeras import initializers as today

normal, uniform = today.RandomNormal, today.RandomUniform
one, zero = today.Ones, today.Zeros

__all__ = ["normal", "one", "uniform", "zero"]

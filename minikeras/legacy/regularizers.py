"""Regularizers under the names of Keras 1."""

from minikeras import regularizers as today

WeightRegularizer = today.L1L2
l1l2 = today.L1L2

__all__ = ["WeightRegularizer", "l1l2"]

"""Regularizers under the names of Keras 1."""

from minikeras import regularizers as today

WeightRegularizer = today.L1L2
activity_l1 = today.L1
activity_l1l2 = today.L1L2
activity_l2 = today.L2
l1l2 = today.L1L2

__all__ = ["WeightRegularizer", "activity_l1", "activity_l1l2", "activity_l2", "l1l2"]

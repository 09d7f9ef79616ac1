"""Constraints under the names of Keras 1 and 2."""

from minikeras import constraints as today

maxnorm, nonneg, unitnorm = today.MaxNorm, today.NonNeg, today.UnitNorm

__all__ = ["maxnorm", "nonneg", "unitnorm"]

"""`keras.mixed_precision`: dtype policies under older names, and loss scaling."""

from minikeras.core.dtype_policy import DTypePolicy
from minikeras.core.dtype_policy import DTypePolicy as Policy
from minikeras.core.dtype_policy import dtype_policy
from minikeras.core.dtype_policy import dtype_policy as global_policy
from minikeras.core.dtype_policy import set_dtype_policy
from minikeras.core.dtype_policy import set_dtype_policy as set_global_policy
from minikeras.optimizers import LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

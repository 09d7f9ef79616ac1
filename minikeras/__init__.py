"""minikeras: the Keras 3 API on JAX alone."""

from minikeras import activations
from minikeras import applications
from minikeras import backend
from minikeras import callbacks
from minikeras import config
from minikeras import constraints
from minikeras import datasets
from minikeras import dtype_policies
from minikeras import initializers
from minikeras import layers
from minikeras import legacy
from minikeras import losses
from minikeras import metrics
from minikeras import mixed_precision
from minikeras import models
from minikeras import ops
from minikeras import optimizers
from minikeras import preprocessing
from minikeras import random
from minikeras import regularizers
from minikeras import saving
from minikeras import tree
from minikeras import utils
from minikeras import visualization
from minikeras import wrappers
from minikeras.core.dtype_policy import DTypePolicy
from minikeras.core.dtype_policy import FloatDTypePolicy
from minikeras.core.remat import RematScope
from minikeras.core.remat import remat
from minikeras.core.scopes import StatelessScope
from minikeras.core.scopes import SymbolicScope
from minikeras.core.scopes import device
from minikeras.core.scopes import name_scope
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.missing_names import install_missing_name_errors as _install_errors
from minikeras.core.symbolic import Operation
from minikeras.core.variable import Variable
from minikeras.initializers import Initializer
from minikeras.layers import Input
from minikeras.layers import InputSpec
from minikeras.layers import Layer
from minikeras.legacy.install import load_ipython_extension
from minikeras.legacy.install import unload_ipython_extension
from minikeras.losses import Loss
from minikeras.metrics import Metric
from minikeras.models import Function
from minikeras.models import Model
from minikeras.models import Sequential
from minikeras.optimizers import Optimizer
from minikeras.regularizers import Regularizer
from minikeras.training.gradient_tape import GradientTape
from minikeras.utils import install_as_keras
from minikeras.utils import uninstall_as_keras
from minikeras.version import __version__
from minikeras.version import version

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "RematScope",
    "Sequential",
    "StatelessScope",
    "SymbolicScope",
    "Variable",
    "__version__",
    "activations",
    "applications",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "device",
    "dtype_policies",
    "initializers",
    "install_as_keras",
    "layers",
    "legacy",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "remat",
    "saving",
    "tree",
    "uninstall_as_keras",
    "utils",
    "version",
    "visualization",
    "wrappers",
]

_install_errors(__name__)

"""Helpers around models and data."""

from minikeras.callbacks.progbar import Progbar
from minikeras.data.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from minikeras.data.pydataset import PyDataset
from minikeras.data.pydataset import PyDataset as Sequence
from minikeras.utils.install import install_as_keras
from minikeras.utils.io import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from minikeras.utils.numerical import normalize, to_categorical

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "install_as_keras",
    "is_interactive_logging_enabled",
    "normalize",
    "pack_x_y_sample_weight",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

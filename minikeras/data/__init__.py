"""Sources of batches behind one protocol, `Adapter`."""

from minikeras.data.adapter import Adapter
from minikeras.data.arrays import ArrayAdapter
from minikeras.data.arrays import class_weight_to_sample_weights
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.arrays import train_validation_split
from minikeras.data.adapter import unpack_x_y_sample_weight
from minikeras.data.adapter import get_adapter
from minikeras.data.generators import GeneratorAdapter
from minikeras.data.pydataset import PyDataset
from minikeras.data.pydataset import PyDatasetAdapter

__all__ = [
    "Adapter",
    "ArrayAdapter",
    "GeneratorAdapter",
    "PyDataset",
    "PyDatasetAdapter",
    "class_weight_to_sample_weights",
    "get_adapter",
    "pack_x_y_sample_weight",
    "train_validation_split",
    "unpack_x_y_sample_weight",
]

"""Adapters: sources of batches of all kinds behind one protocol, `Adapter`."""

from minikeras.data.adapter import Adapter
from minikeras.data.arrays import ArrayAdapter
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.arrays import train_validation_split
from minikeras.data.adapter import unpack_x_y_sample_weight
from minikeras.data.adapter import count_or_none
from minikeras.data.adapter import get_adapter
from minikeras.data.generators import GeneratorAdapter
from minikeras.data.generators import IterableAdapter
from minikeras.data.libraries import GrainAdapter
from minikeras.data.libraries import SampleAdapter
from minikeras.data.libraries import TensorFlowAdapter
from minikeras.data.libraries import TorchAdapter
from minikeras.data.pydataset import PyDataset
from minikeras.data.pydataset_adapter import PyDatasetAdapter
from minikeras.data.weights import class_weight_to_sample_weights

__all__ = [
    "Adapter",
    "ArrayAdapter",
    "GeneratorAdapter",
    "GrainAdapter",
    "IterableAdapter",
    "PyDataset",
    "PyDatasetAdapter",
    "SampleAdapter",
    "TensorFlowAdapter",
    "TorchAdapter",
    "class_weight_to_sample_weights",
    "count_or_none",
    "get_adapter",
    "pack_x_y_sample_weight",
    "train_validation_split",
    "unpack_x_y_sample_weight",
]

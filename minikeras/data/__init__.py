"""Adapters: sources of batches of all kinds behind one protocol, `Adapter`."""

from minikeras.data.adapter import Adapter
from minikeras.data.arrays import ArrayAdapter
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.validation_split import train_validation_split
from minikeras.data.adapter import unpack_x_y_sample_weight
from minikeras.data.adapter import count_or_none
from minikeras.data.adapter import get_adapter
from minikeras.data.dataset.adapter import DatasetAdapter
from minikeras.data.dataset.dataset import Dataset
from minikeras.data.dataset.per_element import AUTOTUNE
from minikeras.data.generators import GeneratorAdapter
from minikeras.data.generators import IterableAdapter
from minikeras.data.libraries import GrainAdapter
from minikeras.data.libraries import HuggingFaceAdapter
from minikeras.data.libraries import SampleAdapter
from minikeras.data.libraries import TensorFlowAdapter
from minikeras.data.libraries import TorchAdapter
from minikeras.data.pydataset import PyDataset
from minikeras.data.pydataset_adapter import PyDatasetAdapter
from minikeras.data.weights import class_weight_to_sample_weights

__all__ = [
    "AUTOTUNE",
    "Adapter",
    "ArrayAdapter",
    "Dataset",
    "DatasetAdapter",
    "GeneratorAdapter",
    "GrainAdapter",
    "HuggingFaceAdapter",
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

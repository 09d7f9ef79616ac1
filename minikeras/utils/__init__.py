"""`keras.utils`: helpers for models, data, saving and logging."""

from minikeras.callbacks.progbar import Progbar
from minikeras.core.dtypes import standardize_dtype
from minikeras.core.environment import environment_report
from minikeras.core.registry import CustomObjectScope
from minikeras.core.registry import custom_object_scope
from minikeras.core.registry import get_custom_objects
from minikeras.core.registry import get_registered_name
from minikeras.core.registry import get_registered_object
from minikeras.core.registry import register_keras_serializable
from minikeras.core.serialization import deserialize_keras_object
from minikeras.core.serialization import serialize_keras_object
from minikeras.core.keras_tensor import is_keras_tensor
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.adapter import unpack_x_y_sample_weight
from minikeras.data.from_directory import audio_dataset_from_directory
from minikeras.data.from_directory import image_dataset_from_directory
from minikeras.data.from_directory import text_dataset_from_directory
from minikeras.data.from_directory import timeseries_dataset_from_array
from minikeras.data.image_files import array_to_img
from minikeras.data.image_files import img_to_array
from minikeras.data.image_files import load_img
from minikeras.data.image_files import save_img
from minikeras.data.sequences import pad_sequences
from minikeras.data.splitting import split_dataset
from minikeras.data.pydataset import PyDataset
from minikeras.data.pydataset import PyDataset as Sequence
from minikeras.random.seed_generator import set_random_seed
from minikeras.utils import bounding_boxes
from minikeras.utils import legacy
from minikeras.utils.feature_space import FeatureSpace
from minikeras.legacy.install import install_as_keras
from minikeras.legacy.install import uninstall_as_keras
from minikeras.datasets.download import get_file
from minikeras.utils.config import Config
from minikeras.utils.io import disable_interactive_logging
from minikeras.utils.io import enable_interactive_logging
from minikeras.utils.io import is_interactive_logging_enabled
from minikeras.models.visualization import get_source_inputs
from minikeras.models.visualization import model_to_dot
from minikeras.models.visualization import plot_model
from minikeras.data.numerical import normalize
from minikeras.data.numerical import to_categorical
from minikeras.training.cost_analysis import cost_analysis
from minikeras.training.session import clear_session

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "cost_analysis",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "environment_report",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "install_as_keras",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "legacy",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "uninstall_as_keras",
    "unpack_x_y_sample_weight",
]

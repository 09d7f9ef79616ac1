"""`keras.utils`: helpers for models, data, saving and logging."""

from minikeras.callbacks.progbar import Progbar
from minikeras.core.dtypes import standardize_dtype
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
from minikeras.data.pydataset import PyDataset
from minikeras.data.pydataset import PyDataset as Sequence
from minikeras.random.seed_generator import set_random_seed
from minikeras.utils import legacy
from minikeras.legacy.install import install_as_keras
from minikeras.datasets.download import get_file
from minikeras.utils.io import disable_interactive_logging
from minikeras.utils.io import enable_interactive_logging
from minikeras.utils.io import is_interactive_logging_enabled
from minikeras.models.visualization import get_source_inputs
from minikeras.models.visualization import model_to_dot
from minikeras.models.visualization import plot_model
from minikeras.data.numerical import normalize
from minikeras.data.numerical import to_categorical
from minikeras.training.session import clear_session

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "install_as_keras",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

"""Saving: `.keras` files, weights, and the registration of custom objects."""

from minikeras.core.registry import CustomObjectScope
from minikeras.core.registry import custom_object_scope
from minikeras.core.registry import get_custom_objects
from minikeras.core.registry import get_registered_name
from minikeras.core.registry import get_registered_object
from minikeras.core.registry import register_keras_serializable
from minikeras.core.serialization import deserialize_keras_object
from minikeras.core.serialization import serialize_keras_object
from minikeras.saving.api import load_model
from minikeras.saving.api import load_weights
from minikeras.saving.api import save_model
from minikeras.saving.api import save_weights
from minikeras.saving.errors import FileError
from minikeras.saving.file_editor import KerasFileEditor

__all__ = [
    "CustomObjectScope",
    "FileError",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

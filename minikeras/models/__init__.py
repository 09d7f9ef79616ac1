"""Models: graphs, stacks and subclasses, with `fit`."""

from minikeras.core.serialization import deserialize_keras_object
from minikeras.models.cloning import clone_model
from minikeras.models.function import Function as Function
from minikeras.models.functional import Functional
from minikeras.models.model import Model
from minikeras.models.sequential import Sequential
from minikeras.saving.api import load_model
from minikeras.saving.api import save_model


def model_from_json(json_string, custom_objects=None):
    """The model of `Model.to_json()`, without weights."""
    import json

    return deserialize_keras_object(json.loads(json_string), custom_objects)


__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

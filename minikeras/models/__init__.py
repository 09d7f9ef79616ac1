"""Models: graphs and stacks of layers, and subclasses, which can be trained."""

from minikeras.core.serialization import deserialize_keras_object
from minikeras.models.cloning import clone_model
from minikeras.models.function import Function as Function
from minikeras.models.functional import Functional
from minikeras.models.model import Model
from minikeras.models.sequential import Sequential
from minikeras.saving.api import load_model
from minikeras.saving.api import save_model


def model_from_json(json_string, custom_objects=None):
    """Create a model from the text of `Model.to_json()`; its weights are new.

    Args:
        json_string: str, the text.
        custom_objects: dict {name: class or function} of names in the config.

    Returns:
        A `Model`.

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.model_from_json(model.to_json()).output_shape
    (None, 2)
    """
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

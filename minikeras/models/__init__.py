"""Models: graphs and stacks of layers, and subclasses, which can be trained."""

from minikeras.models.cloning import clone_model
from minikeras.models.function import Function as Function
from minikeras.models.functional import Functional
from minikeras.models.model import Model
from minikeras.models.sequential import Sequential
from minikeras.saving.api import load_model
from minikeras.saving.api import model_from_json
from minikeras.saving.api import save_model

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

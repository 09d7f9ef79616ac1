"""`keras.dtype_policies`: what layers store and compute in."""

from minikeras.core.dtypes import DTypePolicy
from minikeras.core.dtypes import FloatDTypePolicy
from minikeras.core.dtypes import get_policy as get
from minikeras.core.serialization import deserialize_keras_object as deserialize
from minikeras.core.serialization import serialize_keras_object as serialize

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]

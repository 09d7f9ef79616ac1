"""`keras.dtype_policies`: what layers store and compute in."""

from minikeras.core import registry
from minikeras.core.dtypes import DTypePolicy
from minikeras.core.dtypes import FloatDTypePolicy
from minikeras.core.dtypes import get_policy as get
from minikeras.core.policies import AWQDTypePolicy
from minikeras.core.policies import DTypePolicyMap
from minikeras.core.policies import GPTQDTypePolicy
from minikeras.core.policies import Int4DTypePolicy
from minikeras.core.policies import QuantizedDTypePolicy
from minikeras.core.policies import QuantizedFloat8DTypePolicy

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "get",
    "serialize",
]


def serialize(dtype_policy):
    """Policy -> config; names and None stay."""
    from minikeras.core.serialization import serialize_keras_object

    return serialize_keras_object(dtype_policy)


def deserialize(config, custom_objects=None):
    """Config -> policy; names and None stay."""
    from minikeras.core.serialization import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects)


registry.register_all("keras.dtype_policies", globals())

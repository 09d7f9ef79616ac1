"""`keras.dtype_policies`: what layers store and compute in."""

from minikeras.core import registry
from minikeras.core.dtype_policy import DTypePolicy
from minikeras.core.dtype_policy import FloatDTypePolicy
from minikeras.core.dtype_policy import get_policy as get
from minikeras.dtype_policies.quantized import AWQDTypePolicy
from minikeras.dtype_policies.policy_map import DTypePolicyMap
from minikeras.dtype_policies.quantized import GPTQDTypePolicy
from minikeras.dtype_policies.quantized import Int4DTypePolicy
from minikeras.dtype_policies.quantized import QuantizedDTypePolicy
from minikeras.dtype_policies.quantized import QuantizedFloat8DTypePolicy
from minikeras.core.serialization import serialize_keras_object
from minikeras.core.serialization import deserialize_keras_object

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
    return serialize_keras_object(dtype_policy)


def deserialize(config, custom_objects=None):
    """Config -> policy; names and None stay."""
    return deserialize_keras_object(config, custom_objects)


registry.register_all("keras.dtype_policies", globals())

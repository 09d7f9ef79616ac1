"""`keras.dtype_policies`: the dtypes of weights and of computations."""

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
    """Write a dtype policy as a config that `deserialize` reads.

    Args:
        dtype_policy: policy; a name or None is returned unchanged.

    Returns:
        Config dict.
    """
    return serialize_keras_object(dtype_policy)


def deserialize(config, custom_objects=None):
    """Make a dtype policy from a config.

    Args:
        config: dict as `serialize` returns it; a name or None is returned unchanged.
        custom_objects: {name: class} of your own that the config names.

    Returns:
        A `DTypePolicy`.
    """
    return deserialize_keras_object(config, custom_objects)


registry.register_all("keras.dtype_policies", globals())

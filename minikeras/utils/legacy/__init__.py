"""`keras.utils.legacy`: serialization of objects under its older module name."""

from minikeras.legacy.saving import deserialize_keras_object
from minikeras.legacy.saving import serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

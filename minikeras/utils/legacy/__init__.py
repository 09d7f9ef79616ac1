"""`keras.utils.legacy`: reading and writing of objects under their old path."""

from minikeras.core.serialization import deserialize_keras_object
from minikeras.core.serialization import serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

"""Wrapper: base of the layers that hold one other layer."""

from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.layer import Layer


class Wrapper(Layer):
    """Hold another layer; subclasses define `call`.

    Args:
        layer: the wrapped `keras.Layer`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Raises:
        ValueError: `layer` is not a Layer.

    >>> class Twice(keras.layers.Wrapper):
    ...     def call(self, x):
    ...         return self.layer(self.layer(x))
    >>> Twice(keras.layers.Rescaling(2.0))(keras.ops.ones(1)).tolist()
    [4.0]
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer!r} supplied to Wrapper isn't a supported layer type. "
                "Please ensure wrapped layer is a valid Keras layer."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None):
        """Build the wrapped layer.

        Args:
            input_shape: shape of the inputs, with the batch axis.
        """
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self):
        """Return the constructor's arguments; the wrapped layer as its own config."""
        return {
            **super().get_config(),
            "layer": serialize_keras_object(self.layer),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Create a wrapper with a new layer from `get_config()`.

        Args:
            config: dict of `get_config()`.
            custom_objects: dict {name: class or function} of names in the config.
        """
        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)

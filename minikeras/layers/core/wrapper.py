"""Wrapper: base of layers that hold one other layer."""

from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.layer import Layer


class Wrapper(Layer):
    """A layer around another; subclasses define `call`.

    Args:
        layer: the `Layer` within.

    Raises:
        ValueError: `layer` is not a Layer.
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
        """Build the layer within."""
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self):
        """The constructor's arguments; the layer within as its own config."""
        return {
            **super().get_config(),
            "layer": serialize_keras_object(self.layer),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new wrapper around a new layer."""
        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)

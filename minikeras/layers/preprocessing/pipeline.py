"""Pipeline: layers that prepare data, one after the other."""

from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.call_signature import signature_of
from minikeras.layers.preprocessing.data_layer import DataLayer


class Pipeline(DataLayer):
    """Apply layers one after the other, to arrays or to dicts of them.

    Args:
        layers: list of layers.
        name: str, unique name of the layer; None makes one.

    Input and output: those of the first and of the last layer.

    >>> pipeline = keras.layers.Pipeline(
    ...     [keras.layers.Rescaling(2.0), keras.layers.RandomFlip(seed=1)]
    ... )
    >>> pipeline(np.ones((1, 2, 2, 1))).ravel().tolist()
    [2.0, 2.0, 2.0, 2.0]
    """

    _convert_input_args = False

    def __init__(self, layers, name=None):
        super().__init__(name=name)
        self._mk_steps = layers

    @property
    def layers(self):
        """The list of layers."""
        return self._mk_steps

    def call(self, inputs, training=True, mask=None):
        """Apply the layers.

        Args:
            inputs: input of the first layer.
            training: bool, for the layers that behave otherwise in training.
            mask: mask of the inputs; None for none.
        """
        for layer in self._mk_steps:
            signature, settings = signature_of(layer), {}
            if signature.has_training and training is not None:
                settings["training"] = training
            if mask is not None and signature.has_mask:
                settings["mask"] = mask
            # Arrays carry the masks of the later layers.
            inputs, mask = layer(inputs, **settings), None
        return inputs

    def get_config(self):
        """Return the layers and the name."""
        return {"layers": serialize_keras_object(self._mk_steps), "name": self.name}

    @classmethod
    def from_config(cls, config):
        """Create a pipeline from `get_config()`.

        Args:
            config: dict with the configs of the layers as `layers`.

        Raises:
            ValueError: there is no such list.
        """
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(
                "`Pipeline` config must contain a `layers` key with a list of configs "
                f"of layers. Received layers={layers}."
            )
        layers = [deserialize_keras_object(layer) for layer in layers]
        return cls(**{**config, "layers": layers})

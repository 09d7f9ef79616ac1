"""Activation: any function of `keras.activations` as a layer."""

from minikeras import activations
from minikeras.layers.layer import Layer


class Activation(Layer):
    """Apply an activation.

    Args:
        activation: name or function.

    >>> import numpy as np
    >>> Activation("relu")(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)
        self._mk_build_at_init()

    def call(self, inputs):
        """activation(inputs)"""
        return self.activation(inputs)

"""Activation: any activation function as a layer."""

from minikeras import activations
from minikeras.layers.layer import Layer


class Activation(Layer):
    """Apply an activation function: activation(x).

    Args:
        activation: name of a function of `keras.activations`, or a function of an
            array.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: an unknown name.

    >>> keras.layers.Activation("relu")(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)
        self._mk_build_at_init()

    def call(self, inputs):
        """Return activation(inputs).

        Args:
            inputs: array of any shape.
        """
        return self.activation(inputs)

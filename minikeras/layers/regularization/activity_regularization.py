"""ActivityRegularization: a penalty on the outputs of the layer before."""

from minikeras import regularizers
from minikeras.layers.layer import Layer


class ActivityRegularization(Layer):
    """Return the inputs, and add l1 Σ|x| + l2 Σ x² to the loss.

    As for every activity regularizer, the penalty is divided by the batch size.

    Args:
        l1: number >= 0, weight of the absolute values.
        l2: number >= 0, weight of the squares.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    >>> layer = keras.layers.ActivityRegularization(l1=0.5)
    >>> layer(np.array([[1.0, -3.0]])).tolist(), float(layer.losses[0])
    ([[1.0, -3.0]], 2.0)
    """

    _mk_not_in_config = ("activity_regularizer",)

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Return the inputs.

        Args:
            inputs: array of any shape.
        """
        return inputs

"""ActivityRegularization: a penalty on what passes through."""

from minikeras import regularizers
from minikeras.layers.layer import Layer


class ActivityRegularization(Layer):
    """Return the inputs, and add l1 sum|x| + l2 sum x² to the loss.

    Args:
        l1, l2: numbers >= 0.
    """

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """inputs"""
        return inputs

    def get_config(self):
        """The constructor's arguments."""
        config = super().get_config()
        del config["activity_regularizer"]
        return config

"""Identity: what comes in goes out."""

from minikeras.layers.layer import Layer


class Identity(Layer):
    """A layer that returns its inputs, of any structure.

    >>> import numpy as np
    >>> Identity()(np.array([3.0])).tolist()
    [3.0]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """inputs"""
        return inputs

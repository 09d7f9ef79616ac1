"""Identity: return the inputs."""

from minikeras.layers.layer import Layer


class Identity(Layer):
    """Return the inputs as they are; they may have any structure.

    Args:
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    >>> keras.layers.Identity()(np.array([3.0])).tolist()
    [3.0]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Return the inputs.

        Args:
            inputs: array, or nested lists, tuples and dicts of arrays.
        """
        return inputs

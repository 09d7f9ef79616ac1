"""RepeatVector: make a sequence of copies of a vector."""

import jax.numpy as jnp

from minikeras.core.checks import repetitions
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


class RepeatVector(Layer):
    """Repeat each vector n times.

    Args:
        n: int >= 1, number of copies.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, features). Output shape: (batch, n, features).

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is below 1.

    >>> keras.layers.RepeatVector(2)(np.array([[1.0, 3.0]])).tolist()
    [[[1.0, 3.0], [1.0, 3.0]]]
    """

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = repetitions(n, "n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        """Return n copies of the inputs along a new axis 1.

        Args:
            inputs: (batch, features).
        """
        return jnp.repeat(inputs[:, None], self.n, axis=1)

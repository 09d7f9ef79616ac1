"""RepeatVector: one vector becomes a sequence of copies."""

import jax.numpy as jnp

from minikeras.core.checks import repetitions
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


class RepeatVector(Layer):
    """(batch, features) -> (batch, n, features).

    Args:
        n: int >= 1.

    Raises:
        TypeError: `n` is no integer.
        ValueError: `n` < 1.

    >>> RepeatVector(2)(jnp.array([[1.0, 3.0]])).tolist()
    [[[1.0, 3.0], [1.0, 3.0]]]
    """

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = repetitions(n, "n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        """n copies of the inputs along a new axis 1"""
        return jnp.repeat(inputs[:, None], self.n, axis=1)

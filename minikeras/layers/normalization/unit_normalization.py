"""UnitNormalization and RMSNormalization: lengths of 1, root mean squares of 1."""

import jax
import jax.numpy as jnp

from minikeras import ops
from minikeras.core.checks import is_int
from minikeras.layers.layer import Layer


def unit_normalization(x, axes):
    """x / |x| over the axes; zeros stay zeros."""
    squares = jnp.sum(jnp.square(x), axis=axes, keepdims=True)
    return x * jax.lax.rsqrt(jnp.maximum(squares, 1e-12))


class UnitNormalization(Layer):
    """Divide each sample by its length.

    Args:
        axis: int or ints, over which the squares sum to 1.

    Raises:
        TypeError: `axis` is neither.

    >>> UnitNormalization()(jnp.array([[3.0, 4.0]])).round(3).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        many = isinstance(axis, (list, tuple))
        if not (is_int(axis) or (many and all(map(is_int, axis)))):
            raise TypeError(
                "Invalid value for `axis` argument: expected an int or a list/tuple of "
                f"ints. Received: axis={axis!r}"
            )
        self.axis = list(axis) if many else axis
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """inputs / |inputs|"""
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return unit_normalization(inputs, axes)


class RMSNormalization(Layer):
    """scale x / sqrt(mean(x²) + epsilon)

    Args:
        axis: int or ints, over which the mean is taken.
        epsilon: small number in the root.

    Source: Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467.
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon = epsilon

    def build(self, input_shape):
        """Create the scale, of the sizes of `axis`."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        self.axis = axes  # a list in the configs of built layers
        shape = tuple(input_shape[axis] for axis in axes)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, inputs):
        """scale inputs / sqrt(mean(inputs²) + epsilon)"""
        return ops.rms_normalization(
            inputs, scale=self.scale.value, axis=self.axis, epsilon=self.epsilon
        )

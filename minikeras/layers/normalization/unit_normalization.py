"""UnitNormalization and RMSNormalization: divide by the length or by the RMS."""

import jax
import jax.numpy as jnp

from minikeras import ops
from minikeras.core.checks import is_int
from minikeras.layers.layer import Layer


def unit_normalization(x, axes):
    """x / |x| over the axes; zeros stay zeros."""
    squares = jnp.sum(jnp.square(x), axis=axes, keepdims=True)
    # The bound is Keras's; it keeps vectors of zeros at zero.
    return x * jax.lax.rsqrt(jnp.maximum(squares, 1e-12))


class UnitNormalization(Layer):
    """Divide each sample by its Euclidean length.

    x / sqrt(Σ x²)

    Args:
        axis: int or ints, axes over which the squares of the output sum to 1.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        TypeError: `axis` is neither an int nor a list or tuple of ints.

    >>> keras.layers.UnitNormalization()(np.array([[3.0, 4.0]])).round(3).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        is_list = isinstance(axis, (list, tuple))
        if not (is_int(axis) or (is_list and all(map(is_int, axis)))):
            raise TypeError(
                "Invalid value for `axis` argument: expected an int or a list/tuple of "
                f"ints. Received: axis={axis!r}"
            )
        self.axis = list(axis) if is_list else axis
        self.supports_masking = True
        self._mk_build_at_init()

    def call(self, inputs):
        """Return inputs / |inputs|.

        Args:
            inputs: array of any shape.
        """
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return unit_normalization(inputs, axes)


class RMSNormalization(Layer):
    """Divide by the root mean square, then scale.

    scale x / sqrt(mean(x²) + epsilon)

    Args:
        axis: int or ints, axes over which the mean is taken.
        epsilon: small number added to the mean.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Source: Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467.

    >>> keras.layers.RMSNormalization(epsilon=0.0)(np.array([[2.0, -2.0]])).tolist()
    [[1.0, -1.0]]
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon = epsilon

    def build(self, input_shape):
        """Create the scale.

        Args:
            input_shape: shape of the inputs; the sizes of `axis` must be known.
        """
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        self.axis = axes  # as in Keras, configs of built layers have a list
        shape = tuple(input_shape[axis] for axis in axes)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, inputs):
        """Return scale inputs / sqrt(mean(inputs²) + epsilon).

        Args:
            inputs: array of any shape.
        """
        return ops.rms_normalization(
            inputs, scale=self.scale.value, axis=self.axis, epsilon=self.epsilon
        )

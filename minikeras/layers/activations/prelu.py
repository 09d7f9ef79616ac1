"""PReLU: a leaky ReLU that learns its slopes."""

import jax

from minikeras import constraints, initializers, regularizers
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


def prelu(x, alpha):
    """x for x >= 0, else alpha x; `alpha` broadcasts to `x`."""
    return jax.nn.relu(x) - alpha * jax.nn.relu(-x)


class PReLU(Layer):
    """x for x >= 0, else alpha x, with a trainable slope per feature.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes.
        shared_axes: int or ints >= 1, axes along which the slope is the same.

    Source: He et al. 2015, https://arxiv.org/abs/1502.01852.
    """

    def __init__(
        self,
        alpha_initializer="Zeros",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None and not isinstance(shared_axes, (list, tuple)):
            shared_axes = [shared_axes]
        self.shared_axes = shared_axes and list(shared_axes)

    def build(self, input_shape):
        """Create the slopes: input_shape[1:], of size 1 along the shared axes."""
        shared = self.shared_axes or ()
        shape = [1 if i in shared else input_shape[i] for i in range(len(input_shape))]
        self.alpha = self._mk_weight("alpha", shape[1:])
        axes = range(1, len(shape)) if shared else ()
        own = {i: input_shape[i] for i in axes if i not in shared}
        self.input_spec = InputSpec(ndim=len(shape), axes=own)

    def call(self, inputs):
        """prelu(inputs, alpha)"""
        return prelu(inputs, self.alpha.value)

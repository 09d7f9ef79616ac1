"""PReLU: a leaky ReLU with trainable slopes."""

import jax

from minikeras import constraints, initializers, regularizers
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


def prelu(x, alpha):
    """x for x >= 0, else alpha x; `alpha` broadcasts to `x`."""
    return jax.nn.relu(x) - alpha * jax.nn.relu(-x)


class PReLU(Layer):
    """Leaky ReLU with a trainable slope for each feature.

    x for x >= 0, else alpha x

    Args:
        alpha_initializer: initializer of the slopes.
        alpha_regularizer: penalty on the slopes, added to the loss; None for none.
        alpha_constraint: projection of the slopes after each update; None for none.
        shared_axes: int or ints >= 1, axes along which all entries share one slope;
            None for no axis.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, ...). Output shape: the same.

    Source: He et al. 2015, https://arxiv.org/abs/1502.01852.

    >>> keras.layers.PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
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
        """Create the slopes: input_shape[1:], with size 1 along the shared axes.

        Args:
            input_shape: shape of the inputs, with the batch axis.
        """
        shared = self.shared_axes or ()
        shape = [1 if i in shared else input_shape[i] for i in range(len(input_shape))]
        self.alpha = self._mk_weight("alpha", shape[1:])
        axes = range(1, len(shape)) if shared else ()
        fixed = {i: input_shape[i] for i in axes if i not in shared}
        self.input_spec = InputSpec(ndim=len(shape), axes=fixed)

    def call(self, inputs):
        """Return prelu(inputs, alpha).

        Args:
            inputs: array (batch, ...).
        """
        return prelu(inputs, self.alpha.value)

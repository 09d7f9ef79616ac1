"""LayerNormalization: normalize each sample with its own statistics."""

import jax.numpy as jnp

from minikeras import constraints, initializers, ops, regularizers
from minikeras.core.checks import is_int
from minikeras.layers.layer import Layer


class LayerNormalization(Layer):
    """Normalize each sample over `axis`, then scale and shift it.

    gamma (x - mean) / sqrt(variance + epsilon) + beta

    Args:
        axis: int or ints, the axes over which mean and variance are taken.
        epsilon: small number added to the variance.
        center: bool, whether to add beta.
        scale: bool, whether to multiply by gamma.
        beta_initializer, gamma_initializer: initializers of the weights, whose shape
            has the sizes of `axis`.
        beta_regularizer, gamma_regularizer: penalties on the weights; None for none.
        beta_constraint, gamma_constraint: projections of the weights after each update;
            None for no constraint.
        **kwargs: `rms_scaling`, bool of old models, computes gamma x / sqrt(variance +
            epsilon); `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        TypeError: `axis` is neither an int nor a list or tuple of ints.

    Source: Ba et al. 2016, https://arxiv.org/abs/1607.06450.

    >>> keras.layers.LayerNormalization(epsilon=0.0)(np.array([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        self.rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)) and all(map(is_int, axis)):
            self.axis = sorted(axis)
        elif is_int(axis):
            self.axis = axis
        else:
            raise TypeError(
                "Expected an int or a list/tuple of ints for the argument 'axis', but "
                f"received: {axis!r}"
            )
        self.epsilon = epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma = self.beta = None
        # Do not cast the inputs to half floats: 70,000 would be infinite in float16,
        # 300.1 would be 300 in bfloat16. The output is cast.
        self.autocast = False
        self.supports_masking = True

    def build(self, input_shape):
        """Create gamma and beta.

        Args:
            input_shape: shape of the inputs; the sizes of `axis` must be known.
        """
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        self.axis = axes  # as in Keras, configs of built layers have a list
        shape = tuple(input_shape[axis] for axis in axes)
        if self.scale or self.rms_scaling:
            self.gamma = self._mk_weight("gamma", shape, autocast=False)
        if self.center and not self.rms_scaling:
            self.beta = self._mk_weight("beta", shape, autocast=False)

    def call(self, inputs):
        """Return gamma (inputs - mean) / sqrt(variance + epsilon) + beta.

        Args:
            inputs: array (batch, ...).
        """
        if not jnp.issubdtype(inputs.dtype, jnp.floating):
            inputs = inputs.astype(self.compute_dtype)
        y = ops.layer_normalization(
            inputs,
            gamma=None if self.gamma is None else self.gamma.value,
            beta=None if self.beta is None else self.beta.value,
            axis=self.axis,
            epsilon=self.epsilon,
            rms_scaling=self.rms_scaling,
        )
        return y.astype(self.compute_dtype)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "rms_scaling": self.rms_scaling}

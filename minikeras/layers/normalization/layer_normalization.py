"""LayerNormalization: each sample with its own moments."""

import jax.numpy as jnp

from minikeras import constraints, initializers, ops, regularizers
from minikeras.core.checks import is_int
from minikeras.layers.layer import Layer


class LayerNormalization(Layer):
    """Give each sample mean 0 and variance 1 over `axis`, then scale and shift.

    gamma (x - mean) / sqrt(variance + epsilon) + beta

    Args:
        axis: int or ints.
        epsilon: small number in the root.
        center, scale: have beta? have gamma?
        beta_initializer, gamma_initializer: of the weights, of the sizes of `axis`.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: projections after each update.
        rms_scaling: gamma x / sqrt(variance + epsilon) instead (old models only).

    Source: Ba et al. 2016, https://arxiv.org/abs/1607.06450.
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
        # Half floats hold neither 70,000 nor 300.1: cast what is normalized, not this.
        self.autocast = False
        self.supports_masking = True

    def build(self, input_shape):
        """Create gamma and beta, of the sizes of `axis`."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        self.axis = axes  # a list in the configs of built layers
        shape = tuple(input_shape[axis] for axis in axes)
        if self.scale or self.rms_scaling:
            self.gamma = self._mk_weight("gamma", shape, autocast=False)
        if self.center and not self.rms_scaling:
            self.beta = self._mk_weight("beta", shape, autocast=False)

    def call(self, inputs):
        """gamma (inputs - mean) / sqrt(variance + epsilon) + beta"""
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
        """The constructor's arguments."""
        return {**super().get_config(), "rms_scaling": self.rms_scaling}

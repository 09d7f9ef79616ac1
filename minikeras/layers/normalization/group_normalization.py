"""GroupNormalization: normalize groups of channels of each sample."""

import jax

from minikeras import constraints, initializers, ops, regularizers
from minikeras.core.checks import is_int
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


def group_normalization(x, groups, axis, epsilon):
    """Give each group of channels mean 0 and variance 1 over all axes but the batch.

    Args:
        x: (batch, ...).
        groups: int, divides the size of `axis`.
        axis: int >= 1, the axis of the channels.
        epsilon: small number added to the variance.
    """
    n = x.shape[axis]
    shape = (*x.shape[:axis], groups, n // groups, *x.shape[axis + 1 :])
    split = x.reshape(shape)
    axes = tuple(i for i in range(1, split.ndim) if i != axis)
    mean, variance = ops.moments(split, axes, keepdims=True)
    factor = jax.lax.rsqrt(variance + epsilon)
    # x · a + b as in Keras: (x - mean) · a would round to other last bits.
    return (split * factor - mean * factor).reshape(x.shape)


def check_groups(groups, channels):
    """Raise ValueError unless `channels` can be divided into `groups`."""
    if channels < groups:
        raise ValueError(
            f"groups={groups} cannot be more than the number of channels, {channels}."
        )
    if channels % groups:
        raise ValueError(
            f"GroupNormalization: groups={groups} must be a multiple of the number of "
            f"channels, that is divide them: {channels} cannot be split evenly."
        )


class GroupNormalization(Layer):
    """Normalize groups of channels in each sample, then scale and shift.

    gamma (x - mean) / sqrt(variance + epsilon) + beta

    Args:
        groups: int >= 1, number of groups; divides the channels. -1 makes one group of
            each channel.
        axis: int, the axis of the channels.
        epsilon: small number added to the variance.
        center: bool, whether to add beta.
        scale: bool, whether to multiply by gamma.
        beta_initializer, gamma_initializer: initializers of the (channels,) weights.
        beta_regularizer, gamma_regularizer: penalties on the weights; None for none.
        beta_constraint, gamma_constraint: projections of the weights after each update;
            None for no constraint.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (batch, ...). Output shape: the same.

    Raises:
        ValueError: `groups` is invalid; in a call: it does not divide the channels.

    Source: Wu & He 2018, https://arxiv.org/abs/1803.08494.

    >>> keras.layers.GroupNormalization(groups=2)(np.ones((2, 5, 5, 4))).shape
    (2, 5, 5, 4)
    """

    def __init__(
        self,
        groups=32,
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
        super().__init__(**kwargs)
        if not is_int(groups) or (groups < 1 and groups != -1):
            raise ValueError(
                "Invalid argument `groups` of GroupNormalization: expected a positive "
                f"integer, or -1 for one group per channel, got {groups!r}."
            )
        self.groups, self.axis, self.epsilon = groups, axis, epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma = self.beta = None
        self.autocast = False  # a half float could overflow before it is normalized
        self.supports_masking = True

    def build(self, input_shape):
        """Create gamma and beta, (channels,) each.

        Args:
            input_shape: shape of the inputs; the size of `axis` must be known.
        """
        n = input_shape[self.axis]
        if n is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but "
                f"the layer received an input with shape {input_shape}."
            )
        if self.groups == -1:
            self.groups = n
        check_groups(self.groups, n)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: n})
        if self.scale:
            self.gamma = self._mk_weight("gamma", (n,), autocast=False)
        if self.center:
            self.beta = self._mk_weight("beta", (n,), autocast=False)

    def call(self, inputs):
        """Return gamma (inputs - mean) / sqrt(variance + epsilon) + beta.

        Args:
            inputs: (batch, ...).
        """
        half = self.compute_dtype in ("float16", "bfloat16")
        x = inputs.astype("float32" if half else self.compute_dtype)
        axis = self.axis % x.ndim
        y = group_normalization(x, self.groups, axis, self.epsilon)
        shape = [n if i == axis else 1 for i, n in enumerate(x.shape)]
        if self.gamma is not None:
            y = y * self.gamma.value.reshape(shape)
        if self.beta is not None:
            y = y + self.beta.value.reshape(shape)
        return y.astype(self.compute_dtype)

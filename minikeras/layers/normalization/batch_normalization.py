"""BatchNormalization: each channel with the moments of the batch."""

import jax
import jax.numpy as jnp

from minikeras import constraints, initializers, ops, regularizers, settings
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


def masked_moments(x, mask, axes):
    """Mean and variance over `axes` of the entries where `mask` is True.

    Args:
        x: array.
        mask: bool, (…) without the last axis of `x`.
        axes: tuple of ints.

    Returns:
        (mean, variance); zeros where nothing counts.
    """
    weights = jnp.asarray(mask).astype(bool)[..., None]
    weights = jnp.broadcast_to(weights, x.shape).astype(x.dtype)
    count = jnp.sum(weights, axis=axes, keepdims=True) + settings.epsilon()
    mean = jnp.sum(weights * x, axis=axes, keepdims=True) / count
    variance = jnp.sum(weights * (x - mean) ** 2, axis=axes, keepdims=True) / count
    return jnp.squeeze(mean, axes), jnp.squeeze(variance, axes)


def moving_average(average, value, momentum):
    """average * momentum + value * (1 - momentum)"""
    return average * momentum + value.astype(average.dtype) * (1.0 - momentum)


def renormalization(mean, stddev, moving_mean, moving_stddev, clipping):
    """What leads from the batch's moments to the moving ones: x r + d.

    Args:
        mean, stddev: of the batch.
        moving_mean, moving_stddev: their moving averages.
        clipping: dict of the bounds "rmin", "rmax" of r and "dmax" of |d|.

    Returns:
        (r, d), constants for the gradient.

    Source: Ioffe 2017, https://arxiv.org/abs/1702.03275.
    """
    r = stddev / moving_stddev
    d = (mean - moving_mean) / moving_stddev
    r = jnp.clip(r, clipping.get("rmin"), clipping.get("rmax"))
    if (bound := clipping.get("dmax")) is not None:
        d = jnp.clip(d, -bound, bound)
    return jax.lax.stop_gradient(r), jax.lax.stop_gradient(d)


def another(initializer):
    """A copy with a seed of its own, if it has one: Keras draws these values anew."""
    return initializer.clone() if hasattr(initializer, "clone") else initializer


def root_of(initializer):
    """An initializer whose values are the roots of another's."""
    squares = another(initializer)
    return lambda shape, dtype=None: jnp.sqrt(squares(shape, dtype=dtype))


def check_clipping(clipping):
    """ValueError if the bounds of a renormalization make no sense."""
    if unknown := set(clipping) - {"rmin", "rmax", "dmax"}:
        raise ValueError(
            "renorm_clipping may hold rmin, rmax and dmax. Received invalid keys: "
            f"{sorted(unknown)}"
        )
    low, high = clipping.get("rmin"), clipping.get("rmax")
    if low is not None and high is not None and high < low:
        raise ValueError(
            f"renorm_clipping: rmax should be >= rmin, got rmax={high}, rmin={low}."
        )
    if (bound := clipping.get("dmax")) is not None and bound < 0:
        raise ValueError(
            f"renorm_clipping: dmax should be non-negative, got dmax={bound}."
        )


class BatchNormalization(Layer):
    """Give each channel mean 0 and variance 1 over the batch, then scale and shift.

    gamma (x - mean) / sqrt(variance + epsilon) + beta

    While training, the moments are those of the batch, and their moving averages are
    updated; otherwise, and when `trainable` is False, the moving averages are used.
    Entries that are masked out do not count in the moments.

    Args:
        axis: int, the axis of the channels.
        momentum: of the moving averages, in [0, 1].
        epsilon: small number in the root.
        center, scale: have beta? have gamma?
        beta_initializer, gamma_initializer, moving_mean_initializer,
            moving_variance_initializer: of the (channels,) weights.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: projections after each update.
        renorm: correct the batch's moments towards their moving averages
            (batch renormalization)?
        renorm_clipping: dict of the bounds "rmin", "rmax", "dmax".
        renorm_momentum: of the averages that `renorm` uses.
        synchronized: moments over all devices; arrays that span devices are
            reduced over all of them in any case.

    Source: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167.
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = int(axis)
        self.momentum, self.epsilon = momentum, epsilon
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm, self.renorm_momentum = renorm, renorm_momentum
        self.renorm_clipping = renorm_clipping
        if renorm:
            self.renorm_clipping = dict(renorm_clipping or {})
            check_clipping(self.renorm_clipping)
        self.synchronized = synchronized
        self.gamma = self.beta = None
        self.supports_masking = True

    def build(self, input_shape):
        """Create gamma, beta and the moving averages, all (channels,)."""
        n = input_shape[self.axis]
        if self.scale:
            self.gamma = self._mk_weight("gamma", (n,), autocast=False)
        if self.center:
            self.beta = self._mk_weight("beta", (n,), autocast=False)
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean = self._mk_average("moving_mean", n, mean)
        self.moving_variance = self._mk_average("moving_variance", n, variance)
        if self.renorm:
            self.moving_stddev = self._mk_average("moving_stddev", n, root_of(variance))
            self.renorm_mean = self._mk_average("renorm_mean", n, another(mean))
            self.renorm_stddev = self._mk_average("renorm_stddev", n, root_of(variance))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: n})

    def _mk_average(self, name, n, initializer):
        return self.add_weight(
            name=name,
            shape=(n,),
            initializer=initializer,
            trainable=False,
            autocast=False,
        )

    def call(self, inputs, training=None, mask=None):
        """gamma (inputs - mean) / sqrt(variance + epsilon) + beta"""
        if mask is not None and len(mask.shape) != inputs.ndim - 1:
            raise ValueError(
                "BatchNormalization: a mask has the axes of the inputs but the last, "
                f"got a mask of shape {tuple(mask.shape)} for inputs of shape "
                f"{tuple(inputs.shape)}."
            )
        half = self.compute_dtype in ("float16", "bfloat16")
        x = inputs.astype("float32" if half else self.compute_dtype)
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if training and self.trainable:
            mean, variance = self._mk_moments(x, mask)
            if self.renorm:
                gamma, beta = self._mk_renormalize(mean, variance, gamma, beta)
            else:
                self._mk_follow(self.moving_mean, mean)
                self._mk_follow(self.moving_variance, variance)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        y = ops.batch_normalization(
            *(x, mean, variance, self.axis),
            offset=beta,
            scale=gamma,
            epsilon=self.epsilon,
        )
        return y.astype(self.compute_dtype)

    def _mk_moments(self, x, mask):
        axes = tuple(i for i in range(x.ndim) if i != self.axis % x.ndim)
        if mask is None:
            return ops.moments(x, axes)
        return masked_moments(x, mask, axes)

    def _mk_follow(self, variable, value, momentum=None):
        momentum = self.momentum if momentum is None else momentum
        variable.assign(moving_average(variable.value, value, momentum))

    def _mk_renormalize(self, mean, variance, gamma, beta):
        """Update all averages; return gamma and beta with the correction in them."""
        stddev = jnp.sqrt(variance + self.epsilon)
        moving = jnp.maximum(self.renorm_stddev.value, self.epsilon**0.5)
        r, d = renormalization(
            mean, stddev, self.renorm_mean.value, moving, self.renorm_clipping
        )
        self._mk_follow(self.renorm_mean, mean, self.renorm_momentum)
        self._mk_follow(self.renorm_stddev, stddev, self.renorm_momentum)
        self._mk_follow(self.moving_mean, mean)
        self._mk_follow(self.moving_stddev, stddev)
        variance = self.moving_stddev.value**2 - self.epsilon
        self.moving_variance.assign(jnp.maximum(variance, 0.0))
        gamma = 1.0 if gamma is None else gamma
        return gamma * r, gamma * d + (0.0 if beta is None else beta)

"""BatchNormalization: normalize each channel with statistics of the batch."""

import jax
import jax.numpy as jnp

from minikeras import constraints, initializers, ops, regularizers, settings
from minikeras.initializers.initializer import copy_initializer
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.layer import Layer


def masked_moments(x, mask, axes):
    """Mean and variance over `axes` of the entries where `mask` is True.

    Args:
        x: array (…, channels).
        mask: bool, (…) without the last axis of `x`.
        axes: tuple of ints.

    Returns:
        (mean, variance), both 0 where all entries are masked.
    """
    weights = jnp.asarray(mask).astype(bool)[..., None]
    weights = jnp.broadcast_to(weights, x.shape).astype(x.dtype)
    # As in Keras, epsilon avoids 0 / 0 where the whole batch is masked.
    count = jnp.sum(weights, axis=axes, keepdims=True) + settings.epsilon()
    mean = jnp.sum(weights * x, axis=axes, keepdims=True) / count
    variance = jnp.sum(weights * (x - mean) ** 2, axis=axes, keepdims=True) / count
    return jnp.squeeze(mean, axes), jnp.squeeze(variance, axes)


def moving_average(average, value, momentum):
    """average * momentum + value * (1 - momentum)"""
    return average * momentum + value.astype(average.dtype) * (1.0 - momentum)


def renormalization(mean, stddev, moving_mean, moving_stddev, clipping):
    """The correction x r + d from the batch's statistics to the moving ones.

    Args:
        mean, stddev: statistics of the batch.
        moving_mean, moving_stddev: their moving averages.
        clipping: dict with the bounds "rmin", "rmax" of r and "dmax" of |d|.

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


def sqrt_initializer(initializer):
    """An initializer that gives the square roots of another one's values."""
    variance = copy_initializer(initializer)
    return lambda shape, dtype=None: jnp.sqrt(variance(shape, dtype=dtype))


def check_clipping(clipping):
    """Raise ValueError if the bounds of a renormalization contradict each other."""
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
    """Normalize each channel over the batch, then scale and shift it.

    gamma (x - mean) / sqrt(variance + epsilon) + beta

    In training, mean and variance are those of the batch, and their moving averages are
    updated. In inference, and if `trainable` is False, the moving averages are used.
    Masked entries do not count in mean and variance.

    Args:
        axis: int, the axis of the channels.
        momentum: weight of the old value in the moving averages, in [0, 1].
        epsilon: small number added to the variance.
        center: bool, whether to add beta.
        scale: bool, whether to multiply by gamma.
        beta_initializer, gamma_initializer: initializers of the (channels,) weights.
        moving_mean_initializer: initializer of the (channels,) moving mean.
        moving_variance_initializer: initializer of the (channels,) moving variance.
        beta_regularizer, gamma_regularizer: penalties on the weights; None for none.
        beta_constraint, gamma_constraint: projections of the weights after each update;
            None for no constraint.
        renorm: bool, whether to correct the batch's statistics towards their moving
            averages (batch renormalization).
        renorm_clipping: dict with bounds "rmin", "rmax" and "dmax" of the correction;
            None for no bounds.
        renorm_momentum: momentum of the averages that `renorm` uses, in [0, 1].
        synchronized: accepted for Keras. Arrays that span several devices are always
            reduced over all of them.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: invalid bounds in `renorm_clipping`; in a call: a mask whose axes
            are not those of the inputs without the last one.

    Source: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167.

    >>> x = np.array([[1.0], [3.0]])
    >>> keras.layers.BatchNormalization(epsilon=0.0)(x, training=True).tolist()
    [[-1.0], [1.0]]
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
        """Create gamma, beta and the moving averages, all (channels,).

        Args:
            input_shape: shape of the inputs; the size of `axis` must be known.
        """
        n = input_shape[self.axis]
        if self.scale:
            self.gamma = self._mk_weight("gamma", (n,), autocast=False)
        if self.center:
            self.beta = self._mk_weight("beta", (n,), autocast=False)
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean = self._mk_add_average("moving_mean", n, mean)
        self.moving_variance = self._mk_add_average("moving_variance", n, variance)
        if self.renorm:
            self.moving_stddev = self._mk_add_average(
                "moving_stddev", n, sqrt_initializer(variance)
            )
            self.renorm_mean = self._mk_add_average(
                "renorm_mean", n, copy_initializer(mean)
            )
            self.renorm_stddev = self._mk_add_average(
                "renorm_stddev", n, sqrt_initializer(variance)
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: n})

    def _mk_add_average(self, name, n, initializer):
        """A (n,) weight that is not trained."""
        return self.add_weight(
            name=name,
            shape=(n,),
            initializer=initializer,
            trainable=False,
            autocast=False,
        )

    def call(self, inputs, training=None, mask=None):
        """Return gamma (inputs - mean) / sqrt(variance + epsilon) + beta.

        Args:
            inputs: array with the channels at `axis`.
            training: bool, whether to use and record the statistics of the batch.
            mask: bool array with the axes of the inputs except the last one, or None.
        """
        if mask is not None and len(mask.shape) != inputs.ndim - 1:
            raise ValueError(
                "BatchNormalization: a mask has the axes of the inputs but the last, "
                f"got a mask of shape {tuple(mask.shape)} for inputs of shape "
                f"{tuple(inputs.shape)}."
            )
        # As in Keras, half floats are normalized in float32: the sum of squares in a
        # variance overflows float16, and bfloat16 has 8 bits for the mean.
        half = self.compute_dtype in ("float16", "bfloat16")
        x = inputs.astype("float32" if half else self.compute_dtype)
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if training and self.trainable:
            mean, variance = self._mk_moments(x, mask)
            if self.renorm:
                gamma, beta = self._mk_renormalize(mean, variance, gamma, beta)
            else:
                self._mk_update_average(self.moving_mean, mean)
                self._mk_update_average(self.moving_variance, variance)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        y = ops.batch_normalization(
            x,
            mean,
            variance,
            self.axis,
            offset=beta,
            scale=gamma,
            epsilon=self.epsilon,
        )
        return y.astype(self.compute_dtype)

    def _mk_moments(self, x, mask):
        """Mean and variance of each channel over the entries that count."""
        axes = tuple(i for i in range(x.ndim) if i != self.axis % x.ndim)
        if mask is None:
            return ops.moments(x, axes)
        return masked_moments(x, mask, axes)

    def _mk_update_average(self, variable, value, momentum=None):
        """Move an average towards a new value."""
        momentum = self.momentum if momentum is None else momentum
        variable.assign(moving_average(variable.value, value, momentum))

    def _mk_renormalize(self, mean, variance, gamma, beta):
        """Update all averages; return gamma and beta with the correction applied."""
        stddev = jnp.sqrt(variance + self.epsilon)
        moving = jnp.maximum(self.renorm_stddev.value, self.epsilon**0.5)
        r, d = renormalization(
            mean, stddev, self.renorm_mean.value, moving, self.renorm_clipping
        )
        self._mk_update_average(self.renorm_mean, mean, self.renorm_momentum)
        self._mk_update_average(self.renorm_stddev, stddev, self.renorm_momentum)
        self._mk_update_average(self.moving_mean, mean)
        self._mk_update_average(self.moving_stddev, stddev)
        variance = self.moving_stddev.value**2 - self.epsilon
        self.moving_variance.assign(jnp.maximum(variance, 0.0))
        gamma = 1.0 if gamma is None else gamma
        return gamma * r, gamma * d + (0.0 if beta is None else beta)

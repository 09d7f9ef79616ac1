"""Dropout, entry by entry or whole channels at a time, and its form for SELU."""

import numbers

import jax.numpy as jnp

from minikeras import random
from minikeras.core.checks import unit_interval
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.regularization.random_layer import RandomLayer
from minikeras.settings import standardize_data_format

# Where SELU saturates for x -> -inf: -alpha * scale of Klambauer et al. 2017.
_SELU_LOW = -1.6732632423543772 * 1.0507009873554805


def noise_shape_tuple(noise_shape):
    """None, or a tuple of ints >= 1 and None."""
    if noise_shape is None:
        return None
    invalid = "Invalid value received for argument `noise_shape`."
    if not isinstance(noise_shape, (tuple, list)):
        raise ValueError(
            f"{invalid} Expected a tuple or list of integers. "
            f"Received: noise_shape={noise_shape!r}"
        )
    for size in noise_shape:
        if size is not None and not isinstance(size, numbers.Integral):
            raise ValueError(
                f"{invalid} Expected all elements to be integers or None. "
                f"Received: noise_shape={noise_shape}"
            )
        if size is not None and size <= 0:
            raise ValueError(
                f"{invalid} Expected all dimensions to be positive integers or None. "
                f"Received: noise_shape={noise_shape}"
            )
    return tuple(noise_shape)


def filled(noise_shape, shape):
    """The shape of the noise: None stands for the input's size."""
    if noise_shape is None:
        return tuple(shape)
    pairs = zip(noise_shape, shape, strict=True)
    return tuple(n if size is None else size for size, n in pairs)


def alpha_dropout(x, kept, rate):
    """Set entries to SELU's lower limit, then restore mean 0 and variance 1.

    Args:
        x: array of mean 0 and variance 1.
        kept: bool array that broadcasts to `x`: False where the entry is dropped.
        rate: the chance of False.
    """
    kept = kept.astype(x.dtype)
    a = ((1 - rate) * (1 + rate * _SELU_LOW**2)) ** -0.5
    b = -a * _SELU_LOW * rate
    return a * (x * kept + _SELU_LOW * (1 - kept)) + b


class Dropout(RandomLayer):
    """Set a random share of the inputs to 0 and scale the rest by 1 / (1 - rate).

    Only while training; otherwise the inputs are returned as they are.

    Args:
        rate: number in [0, 1], the share that is dropped.
        noise_shape: ints and None; axes of size 1 are dropped or kept as a whole,
            None takes the input's size.
        seed: int; None takes one from Python's `random`.

    Raises:
        ValueError: rate outside [0, 1], or a bad `noise_shape`.

    >>> import numpy as np
    >>> sorted(set(Dropout(0.5, seed=1)(np.ones(100), training=True).tolist()))
    [0.0, 2.0]
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = unit_interval(rate, "rate")
        self.noise_shape = noise_shape_tuple(noise_shape)
        self._mk_prepare(rate, seed)

    def _mk_perturb(self, inputs):
        """dropout(inputs)"""
        return random.dropout(
            inputs,
            self.rate,
            noise_shape=self._mk_noise_shape(),
            seed=self.seed_generator,
        )

    def _mk_noise_shape(self):
        return self.noise_shape


class AlphaDropout(Dropout):
    """Dropout that keeps mean 0 and variance 1, for networks of SELUs.

    Args: as `Dropout`.

    Source: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """

    def _mk_perturb(self, inputs):
        """alpha_dropout(inputs, kept, rate)"""
        shape = filled(self.noise_shape, inputs.shape)
        draw = random.uniform(shape, seed=self.seed_generator)
        return alpha_dropout(inputs, jnp.greater_equal(draw, self.rate), self.rate)


class _SpatialDropout(Dropout):
    """Drop whole channels of (batch, *space, channels)."""

    rank: int
    data_format = "channels_last"

    def _mk_set_format(self, data_format):
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _mk_noise_shape(self):
        space = (1,) * self.rank
        last = self.data_format == "channels_last"
        return (None, *space, None) if last else (None, None, *space)

    def get_config(self):
        """The constructor's arguments, which do not include `trainable`."""
        config = super().get_config()
        del config["trainable"], config["noise_shape"]
        return config | {"dtype": self.dtype}


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of (batch, steps, channels).

    Args:
        rate: number in [0, 1].
        seed: int; None takes one from Python's `random`.
    """

    rank = 1

    def __init__(self, rate, seed=None, name=None, dtype=None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self._mk_set_format("channels_last")


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of (batch, rows, columns, channels).

    Args:
        rate: number in [0, 1].
        data_format: `"channels_last"`, `"channels_first"` or None.
        seed: int; None takes one from Python's `random`.
    """

    rank = 2

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self._mk_set_format(data_format)


class SpatialDropout3D(SpatialDropout2D):
    """Dropout of whole channels of (batch, depth, rows, columns, channels).

    Args: as `SpatialDropout2D`.
    """

    rank = 3

"""Dropout of entries or whole channels, and its form for SELU."""

import numbers

import jax.numpy as jnp

from minikeras import random
from minikeras.core.checks import unit_interval
from minikeras.layers.regularization.random_layer import RandomLayer
from minikeras.layers.reshaping.spatial import SpatialLayer

# The limit of SELU for x -> -inf: -alpha * scale of Klambauer et al. 2017.
_SELU_LOW = -1.6732632423543772 * 1.0507009873554805


def noise_shape_tuple(noise_shape):
    """Return None, or a tuple of ints >= 1 and None; ValueError for other values."""
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


def resolve_noise_shape(noise_shape, shape):
    """The shape of the noise: None in `noise_shape` takes the size of the inputs."""
    if noise_shape is None:
        return tuple(shape)
    pairs = zip(noise_shape, shape, strict=True)
    return tuple(n if size is None else size for size, n in pairs)


def alpha_dropout(x, keep, rate):
    """Set entries to SELU's lower limit, then restore mean 0 and variance 1.

    Args:
        x: array of mean 0 and variance 1.
        keep: bool array that broadcasts to `x`: False where the entry is dropped.
        rate: probability of False.
    """
    keep = keep.astype(x.dtype)
    a = ((1 - rate) * (1 + rate * _SELU_LOW**2)) ** -0.5
    b = -a * _SELU_LOW * rate
    return a * (x * keep + _SELU_LOW * (1 - keep)) + b


class Dropout(RandomLayer):
    """Set a random share of the inputs to 0 in training.

    The other entries are multiplied by 1 / (1 - rate), which keeps the expected sum. In
    inference the inputs are returned as they are.

    Args:
        rate: number in [0, 1], the share that is dropped.
        noise_shape: tuple of ints and None, shape of the mask, which broadcasts to the
            inputs; None in it takes their size. None draws each entry by itself.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: `rate` is not in [0, 1], or an invalid `noise_shape`.

    Source: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.

    >>> y = keras.layers.Dropout(0.5, seed=1)(np.ones(100), training=True)
    >>> sorted(set(y.tolist()))
    [0.0, 2.0]
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = unit_interval(rate, "rate")
        self.noise_shape = noise_shape_tuple(noise_shape)
        self._mk_init_random(rate, seed)

    def _mk_training_output(self, inputs):
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
    """Dropout that keeps mean 0 and variance 1, for networks with SELU.

    Dropped entries become SELU's lower limit, about -1.758; then all entries are scaled
    and shifted. In inference the inputs are returned as they are.

    Args:
        rate: number in [0, 1], the share that is dropped.
        noise_shape: tuple of ints and None, shape of the mask, which broadcasts to the
            inputs; None in it takes their size. None draws each entry by itself.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: any shape. Output shape: the same.

    Raises:
        ValueError: `rate` is not in [0, 1], or an invalid `noise_shape`.

    Source: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.

    >>> keras.layers.AlphaDropout(0.1)(np.ones(2)).tolist()  # in inference
    [1.0, 1.0]
    """

    def _mk_training_output(self, inputs):
        """alpha_dropout(inputs, keep, rate)"""
        shape = resolve_noise_shape(self.noise_shape, inputs.shape)
        draw = random.uniform(shape, seed=self.seed_generator)
        return alpha_dropout(inputs, jnp.greater_equal(draw, self.rate), self.rate)


class _SpatialDropout(SpatialLayer, Dropout):
    """Base of the layers that drop whole channels of (batch, *space, channels)."""

    def _mk_noise_shape(self):
        space = (1,) * self.rank
        if self.data_format == "channels_last":
            return (None, *space, None)
        return (None, None, *space)

    def get_config(self):
        """Return the constructor's arguments, which do not include `trainable`."""
        config = super().get_config()
        del config["trainable"], config["noise_shape"]
        return config | {"dtype": self.dtype}


class SpatialDropout1D(_SpatialDropout):
    """Drop whole channels of sequences in training.

    The other channels are multiplied by 1 / (1 - rate). In inference the inputs are
    returned as they are.

    Args:
        rate: number in [0, 1], the share of the channels that is dropped.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        name: str, unique name of the layer; None makes one.
        dtype: dtype or dtype policy of the layer; None takes the global policy.

    Input shape: (batch, steps, channels). Output shape: the same.

    Raises:
        ValueError: `rate` is not in [0, 1]; in a call: inputs of another rank.

    Source: Tompson et al. 2014, https://arxiv.org/abs/1411.4280.

    >>> keras.layers.SpatialDropout1D(0.5)(np.ones((2, 4, 3)), training=True).shape
    (2, 4, 3)
    """

    rank = 1

    def __init__(self, rate, seed=None, name=None, dtype=None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self._mk_set_data_format()


class SpatialDropout2D(_SpatialDropout):
    """Drop whole channels of images in training.

    The other channels are multiplied by 1 / (1 - rate). In inference the inputs are
    returned as they are.

    Args:
        rate: number in [0, 1], the share of the channels that is dropped.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        name: str, unique name of the layer; None makes one.
        dtype: dtype or dtype policy of the layer; None takes the global policy.

    Input shape: (batch, rows, columns, channels), or channels first. Output shape: the
    same.

    Raises:
        ValueError: `rate` is not in [0, 1]; in a call: inputs of another rank.

    Source: Tompson et al. 2014, https://arxiv.org/abs/1411.4280.

    >>> keras.layers.SpatialDropout2D(0.5)(np.ones((2, 4, 4, 3)), training=True).shape
    (2, 4, 4, 3)
    """

    rank = 2

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self._mk_set_data_format(data_format)


class SpatialDropout3D(SpatialDropout2D):
    """Drop whole channels of volumes in training.

    The other channels are multiplied by 1 / (1 - rate). In inference the inputs are
    returned as they are.

    Args:
        rate: number in [0, 1], the share of the channels that is dropped.
        data_format: `"channels_last"`, `"channels_first"`, or None for
            `keras.config.image_data_format()`.
        seed: int, seed of the random numbers; None draws one from Python's `random`.
        name: str, unique name of the layer; None makes one.
        dtype: dtype or dtype policy of the layer; None takes the global policy.

    Input shape: (batch, depth, rows, columns, channels), or channels first. Output
    shape: the same.

    Raises:
        ValueError: `rate` is not in [0, 1]; in a call: inputs of another rank.

    Source: Tompson et al. 2014, https://arxiv.org/abs/1411.4280.

    >>> x = np.ones((2, 4, 4, 4, 3))
    >>> keras.layers.SpatialDropout3D(0.5)(x, training=True).shape
    (2, 4, 4, 4, 3)
    """

    rank = 3

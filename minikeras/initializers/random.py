"""Random initializers, equal to Keras's on JAX bit for bit."""

import math

import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.initializers.initializer import Initializer
from minikeras.random import distributions as draws
from minikeras.random.seed_generator import SeedGenerator, make_default_seed

# Standard deviation of a normal distribution cut off at two of its own.
_TRUNCATED_STDDEV = 0.87962566103423978
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def compute_fans(shape, input_axes=None, output_axes=None):
    """Numbers of inputs and outputs of one unit of a weight -> (fan_in, fan_out).

    Without both `input_axes` and `output_axes` the shape is taken for a dense
    kernel's or a convolution's: (window sizes…, n_in, n_out).

    >>> compute_fans((3, 3, 4, 5)), compute_fans((2, 3, 4), [0], [1, 2])
    ((36, 45), (2, 12))
    """
    if input_axes is not None and output_axes is not None:
        fans = (math.prod(shape[a] for a in axes) for axes in (input_axes, output_axes))
        return tuple(fans)
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def variance_scaling(shape, scale, mode, distribution, dtype, seed, axes=(None, None)):
    """Draw with variance scale / n, n = fan_in, fan_out or their mean."""
    fan_in, fan_out = compute_fans(shape, *axes)
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = scale / max(1.0, fans[mode])
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return draws.uniform(shape, -limit, limit, dtype, seed)
    stddev = math.sqrt(variance)
    if distribution == "untruncated_normal":
        return draws.normal(shape, 0.0, stddev, dtype, seed)
    return draws.truncated_normal(shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype, seed)


def orthogonal(shape, gain, dtype, seed):
    """Orthonormal columns (or rows, if they are fewer), times `gain`.

    The Q of a random matrix's QR decomposition, its signs such that R has a positive
    diagonal, which makes the distribution uniform.
    """
    rows, columns = math.prod(shape[:-1]), shape[-1]
    tall = (max(rows, columns), min(rows, columns))
    # LAPACK knows no half floats.
    work = "float32" if dtype in ("float16", "bfloat16") else dtype
    q, r = jnp.linalg.qr(draws.normal(tall, dtype=work, seed=seed))
    q = q * jnp.sign(jnp.diag(r))
    q = q.T if rows < columns else q
    return (gain * q.reshape(shape)).astype(dtypes.as_jax(dtype))


class RandomInitializer(Initializer):
    """Holds the seed of a random initializer.

    Args:
        seed: an int gives the same values at every call, a `SeedGenerator` others
            each time; None draws an int from Python's `random` now.
    """

    def __init__(self, seed=None):
        self._mk_init_seed = seed
        if isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, SeedGenerator)):
            raise ValueError(
                f"{type(self).__name__}: seed must be an int, a SeedGenerator or "
                f"None, got {seed!r} ({type(seed).__name__})."
            )
        self.seed = seed

    def get_config(self):
        """`{"seed": ...}`, None if it was drawn."""
        return {"seed": serialize_keras_object(self._mk_init_seed)}


class RandomNormal(RandomInitializer):
    """Draws from N(mean, stddev²).

    Args:
        mean, stddev: numbers.
        seed: int, `SeedGenerator` or None.
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype`."""
        return draws.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Draws from N(mean, stddev²), restricted to two stddev around the mean.

    Args: as `RandomNormal`.
    """

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype`."""
        return draws.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


class RandomUniform(RandomInitializer):
    """Draws evenly from [minval, maxval).

    Args:
        minval, maxval: numbers.
        seed: int, `SeedGenerator` or None.
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype`."""
        return draws.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Draws with variance scale / n, so that signals keep their size.

    Args:
        scale: positive number.
        mode: n is "fan_in", "fan_out" or "fan_avg", the mean of both.
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: int, `SeedGenerator` or None.
        input_axes, output_axes: which axes of the weight count inputs and outputs;
            both or none. By default the last axis counts outputs, the one before it
            inputs, and all others multiply both.

    Raises:
        ValueError: scale <= 0, unknown mode or distribution.

    Source: X. Glorot and Y. Bengio (2010); K. He et al., arXiv:1502.01852.

    >>> VarianceScaling(mode="fan_avg", distribution="uniform", seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        if not scale > 0:
            raise ValueError(
                f"Argument `scale` must be positive float. Received: scale={scale}."
            )
        if distribution == "normal":
            distribution = "truncated_normal"
        for name, value, known in (
            ("mode", mode, _MODES),
            ("distribution", distribution, _DISTRIBUTIONS),
        ):
            if value not in known:
                raise ValueError(
                    f"Invalid `{name}` argument: expected one of {known}, "
                    f"got {value!r}."
                )
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype`."""
        return variance_scaling(
            shape,
            self.scale,
            self.mode,
            self.distribution,
            dtype,
            self.seed,
            (self.input_axes, self.output_axes),
        )

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Preset(VarianceScaling):
    """A VarianceScaling with its first three arguments fixed."""

    _mk_preset: tuple[float, str, str]

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self._mk_preset, seed, input_axes, output_axes)

    def get_config(self):
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Preset):
    """Draws evenly with variance 2 / (fan_in + fan_out)."""

    _mk_preset = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Draws from a truncated normal of variance 2 / (fan_in + fan_out)."""

    _mk_preset = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_Preset):
    """Draws from a truncated normal of variance 1 / fan_in."""

    _mk_preset = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Draws evenly with variance 1 / fan_in."""

    _mk_preset = (1.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Draws from a truncated normal of variance 2 / fan_in."""

    _mk_preset = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Preset):
    """Draws evenly with variance 2 / fan_in."""

    _mk_preset = (2.0, "fan_in", "uniform")


class Orthogonal(RandomInitializer):
    """Orthonormal columns or rows, times `gain`.

    A weight of more than two axes is seen as a matrix of its last axis.

    Args:
        gain: factor on the matrix.
        seed: int, `SeedGenerator` or None.

    Source: A. Saxe et al., arXiv:1312.6120.
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        """Array of `shape` and `dtype`."""
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal: expected a shape of two axes or more, got {tuple(shape)}."
            )
        return orthogonal(shape, self.gain, dtypes.standardize_dtype(dtype), self.seed)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "gain": self.gain}

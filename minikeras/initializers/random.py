"""Random initializers that give the same bits as Keras on JAX."""

import math

import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.initializers.initializer import Initializer
from minikeras.random import distributions
from minikeras.random.seed_generator import SeedGenerator, make_default_seed

# Standard deviation of a standard normal distribution truncated to [-2, 2].
_TRUNCATED_STDDEV = 0.87962566103423978
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def compute_fans(shape, input_axes=None, output_axes=None):
    """Count the inputs and outputs of one unit of a weight: -> (fan_in, fan_out).

    Args:
        shape: shape of the weight.
        input_axes: axes whose sizes multiply to fan_in.
        output_axes: axes whose sizes multiply to fan_out. If one of the two is None,
            the shape is read as (window sizes…, n_in, n_out).

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
    """Draw with variance scale / n, where n is fan_in, fan_out or their mean."""
    fan_in, fan_out = compute_fans(shape, *axes)
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = scale / max(1.0, fans[mode])
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return distributions.uniform(shape, -limit, limit, dtype, seed)
    stddev = math.sqrt(variance)
    if distribution == "untruncated_normal":
        return distributions.normal(shape, 0.0, stddev, dtype, seed)
    return distributions.truncated_normal(
        shape, 0.0, stddev / _TRUNCATED_STDDEV, dtype, seed
    )


def orthogonal(shape, gain, dtype, seed):
    """Draw orthonormal columns (or rows, if there are fewer), times `gain`."""
    rows, columns = math.prod(shape[:-1]), shape[-1]
    tall = (max(rows, columns), min(rows, columns))
    # LAPACK has no QR decomposition of float16 and bfloat16.
    work = "float32" if dtype in ("float16", "bfloat16") else dtype
    q, r = jnp.linalg.qr(distributions.normal(tall, dtype=work, seed=seed))
    # With signs for which R has a positive diagonal, Q is uniformly distributed.
    q = q * jnp.sign(jnp.diag(r))
    q = q.T if rows < columns else q
    return (gain * q.reshape(shape)).astype(dtypes.as_jax(dtype))


class RandomInitializer(Initializer):
    """Base of random initializers: their seed.

    Args:
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
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
        """`{"seed": ...}`; the seed is None if none was given."""
        return {"seed": serialize_keras_object(self._mk_init_seed)}


class RandomNormal(RandomInitializer):
    """Draws from N(mean, stddev²).

    Args:
        mean: number.
        stddev: >= 0.
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).

    >>> RandomNormal(stddev=1.0, seed=1)((2,)).tolist()
    [-1.097517..., 0.475040...]
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        """Draw an array of `shape` and `dtype`."""
        return distributions.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Draws from N(mean, stddev²), restricted to [mean - 2 stddev, mean + 2 stddev].

    Args:
        mean: number.
        stddev: >= 0; standard deviation before the restriction.
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).

    >>> TruncatedNormal(stddev=1.0, seed=1)((2,)).tolist()
    [-1.024666..., 0.451850...]
    """

    def __call__(self, shape, dtype=None):
        """Draw an array of `shape` and `dtype`."""
        return distributions.truncated_normal(
            shape, self.mean, self.stddev, dtype, self.seed
        )


class RandomUniform(RandomInitializer):
    """Draws from the uniform distribution over [minval, maxval).

    Args:
        minval: number, the lower bound.
        maxval: number > minval, the upper bound.
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).

    >>> RandomUniform(0.0, 1.0, seed=1)((2,)).tolist()
    [0.136207..., 0.682620...]
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        """Draw an array of `shape` and `dtype`."""
        return distributions.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Draws with variance scale / n, where n is the number of inputs or outputs.

    Args:
        scale: > 0.
        mode: n is "fan_in" (inputs of a unit), "fan_out" (outputs) or "fan_avg" (their
            mean).
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
        input_axes: axes of the weight whose sizes multiply to fan_in. By default the
            last axis counts outputs, the one before it inputs, and the others both.
        output_axes: axes whose sizes multiply to fan_out; goes with `input_axes`.

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
        """Draw an array of `shape` and `dtype`."""
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
    """Base of the initializers with fixed scale, mode and distribution."""

    _mk_preset: tuple[float, str, str]

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self._mk_preset, seed, input_axes, output_axes)

    def get_config(self):
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Preset):
    """Draws from the uniform distribution with variance 2 / (fan_in + fan_out).

    fan_in and fan_out are the numbers of inputs and outputs of a unit.

    Args:
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
        input_axes: axes of the weight whose sizes multiply to fan_in. By default the
            last axis counts outputs, the one before it inputs, and the others both.
        output_axes: axes whose sizes multiply to fan_out; goes with `input_axes`.

    Source: Glorot and Bengio, Understanding the Difficulty of Training, 2010.

    >>> GlorotUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    _mk_preset = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Draws from a truncated normal distribution with variance 2 / (fan_in + fan_out).

    fan_in and fan_out are the numbers of inputs and outputs of a unit.

    Args:
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
        input_axes: axes of the weight whose sizes multiply to fan_in. By default the
            last axis counts outputs, the one before it inputs, and the others both.
        output_axes: axes whose sizes multiply to fan_out; goes with `input_axes`.

    Source: Glorot and Bengio, Understanding the Difficulty of Training, 2010.

    >>> GlorotNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    _mk_preset = (1.0, "fan_avg", "truncated_normal")


class LecunNormal(_Preset):
    """Draws from a truncated normal distribution with variance 1 / fan_in.

    fan_in and fan_out are the numbers of inputs and outputs of a unit.

    Args:
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
        input_axes: axes of the weight whose sizes multiply to fan_in. By default the
            last axis counts outputs, the one before it inputs, and the others both.
        output_axes: axes whose sizes multiply to fan_out; goes with `input_axes`.

    Source: LeCun et al., Efficient BackProp, 1998.

    >>> LecunNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    _mk_preset = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Draws from the uniform distribution with variance 1 / fan_in.

    fan_in and fan_out are the numbers of inputs and outputs of a unit.

    Args:
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
        input_axes: axes of the weight whose sizes multiply to fan_in. By default the
            last axis counts outputs, the one before it inputs, and the others both.
        output_axes: axes whose sizes multiply to fan_out; goes with `input_axes`.

    Source: LeCun et al., Efficient BackProp, 1998.

    >>> LecunUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    _mk_preset = (1.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Draws from a truncated normal distribution with variance 2 / fan_in.

    fan_in and fan_out are the numbers of inputs and outputs of a unit.

    Args:
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
        input_axes: axes of the weight whose sizes multiply to fan_in. By default the
            last axis counts outputs, the one before it inputs, and the others both.
        output_axes: axes whose sizes multiply to fan_out; goes with `input_axes`.

    Source: He et al., Delving Deep into Rectifiers, arXiv:1502.01852, 2015.

    >>> HeNormal(seed=1)((2, 3)).shape
    (2, 3)
    """

    _mk_preset = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Preset):
    """Draws from the uniform distribution with variance 2 / fan_in.

    fan_in and fan_out are the numbers of inputs and outputs of a unit.

    Args:
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).
        input_axes: axes of the weight whose sizes multiply to fan_in. By default the
            last axis counts outputs, the one before it inputs, and the others both.
        output_axes: axes whose sizes multiply to fan_out; goes with `input_axes`.

    Source: He et al., Delving Deep into Rectifiers, arXiv:1502.01852, 2015.

    >>> HeUniform(seed=1)((2, 3)).shape
    (2, 3)
    """

    _mk_preset = (2.0, "fan_in", "uniform")


class Orthogonal(RandomInitializer):
    """Draws a matrix with orthonormal columns (rows, if there are fewer), times `gain`.

    All axes of the weight except the last one are taken for one.

    Args:
        gain: factor of the matrix.
        seed: int (the same values at every call), `SeedGenerator` (new values at every
            call), or None (an int drawn now from Python's `random`).

    Raises:
        ValueError: called with a shape of fewer than two axes.

    Source: Saxe et al., Exact Solutions to the Nonlinear Dynamics of Learning,
    arXiv:1312.6120, 2013.

    >>> w = Orthogonal(seed=1)((3, 2))
    >>> abs(w.T @ w).round(4).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        """Draw an array of `shape` and `dtype`."""
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal: expected a shape of two axes or more, got {tuple(shape)}."
            )
        return orthogonal(shape, self.gain, dtypes.standardize_dtype(dtype), self.seed)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "gain": self.gain}

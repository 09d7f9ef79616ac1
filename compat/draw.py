"""Drawing cases at random, and comparing what two packages make of them.

A generated test is a table {name: how to draw its arguments} and one property. `cases`
makes the parameters: a name and a seed, which stand in the test's id; the same two
always draw the same case. The first ones of a name run in `make test`, the others are
marked `slow` and run in `make parity`.
"""

import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest


def of_samples(weights, shape):
    """Weights (n,), beside values of `shape`, as one for each value.

    Others stay as they are.
    """
    weights = np.asarray(weights)
    if not 0 < weights.ndim < len(shape) or weights.shape[0] != shape[0]:
        return weights
    if any(n not in (1, m) for n, m in zip(weights.shape, shape, strict=False)):
        return weights
    more = (1,) * (len(shape) - weights.ndim)
    return np.broadcast_to(weights.reshape(weights.shape + more), shape)


# What rounding may change, as a share of the size of the result.
TOLERANCE = {"float32": 1e-6, "float64": 1e-6, "float16": 2e-3, "bfloat16": 1.6e-2}
SIZES = (1, 2, 3, 5)  # few, so that compiled programs are met again


class Draw:
    """Random choices, the same for the same `key`."""

    def __init__(self, *key):
        self.rng = np.random.default_rng(zlib.crc32(repr(key).encode()))

    def choice(self, *options):
        """One of the options."""
        return options[self.rng.integers(len(options))]

    def chance(self, p=0.5):
        """True with probability p."""
        return bool(self.rng.uniform() < p)

    def options(self, table):
        """{name: one of its values}, of about half of the names of the table."""
        return {k: self.choice(*v) for k, v in table.items() if self.chance()}

    def shape(self, low=1, high=3, sizes=SIZES):
        """Tuple of sizes, its length in low..high."""
        rank = self.rng.integers(low, high + 1)
        return tuple(self.choice(*sizes) for _ in range(rank))

    def broadcastable(self, shape):
        """A shape that broadcasts to `shape`: leading axes left out, others 1."""
        kept = shape[self.choice(*range(len(shape) + 1)) :]
        return tuple(1 if self.chance(0.3) else size for size in kept)

    def normal(self, shape, scale=2.0, dtype="float32"):
        """Floats of both signs, the last axis not like the others."""
        x = self.rng.normal(0.3, scale, shape)
        return cast(x * np.linspace(0.7, 1.4, shape[-1] if shape else 1), dtype)

    def uniform(self, shape, low=0.0, high=1.0, dtype="float32"):
        """Floats in [low, high)."""
        return cast(self.rng.uniform(low, high, shape), dtype)

    def ints(self, shape, low, high, dtype="int32"):
        """Integers in low..high - 1."""
        return cast(self.rng.integers(low, high, shape), dtype)

    def bools(self, shape, p=0.5):
        """Bools, True with probability p."""
        return self.rng.uniform(size=shape) < p


def cast(x, dtype):
    """numpy array of any dtype by name, bfloat16 too; () stays an array."""
    return np.asarray(x).reshape(np.shape(x)).astype(jnp.dtype(dtype))


def names(every, fast):
    """Names as parameters, those not among the `fast` ones marked slow."""
    assert set(fast) <= set(every)
    return [
        pytest.param(name, marks=[] if name in fast else [pytest.mark.slow])
        for name in every
    ]


def cases(names, count, fast=1, every=1, first=0):
    """(name, seed) parameters, `count` of each name.

    All are marked slow but the first `fast` of each `every`-th name, from the one at
    `first` on.
    """
    return [
        pytest.param(
            *(name, seed),
            id=f"{name}-seed{seed}",
            marks=[pytest.mark.slow] if seed >= fast or n % every != first else [],
        )
        for n, name in enumerate(names)
        for seed in range(count)
    ]


def outcome(function, *args, **kwargs):
    """(what the call returns, None) or (None, what it raises)."""
    try:
        return function(*args, **kwargs), None
    except Exception as error:
        return None, error


# Keras needs values where there are tracers, or a matrix function in half precision.
_CANNOT = (jax.errors.JAXTypeError, NotImplementedError)


def both(function, packages):
    """`function` of (keras, minikeras) -> two results.

    Where Keras raises, ours must: a ValueError or TypeError if Keras's is one. Such a
    case is skipped, so that reports show how many cases say no more than that.
    """
    (theirs, refused), (ours, error) = (outcome(function, p) for p in packages)
    if refused is None:
        if error is not None:
            raise error
        return theirs, ours
    if error is None and isinstance(refused, _CANNOT):
        pytest.skip(f"Keras cannot: {str(refused)[:80]}")
    assert error is not None, f"Keras raises {refused!r}, ours: {str(ours)[:80]}"
    if isinstance(refused, (ValueError, TypeError)):
        assert isinstance(error, (ValueError, TypeError)), repr(error)
    return pytest.skip(f"both refuse: {str(refused)[:80]}")


def assert_close(ours, theirs, reduction=1, rtol=None, least=1e-3):
    """Equal shapes and dtypes; equal integers; floats within rounding.

    Args:
        ours, theirs: arrays.
        reduction: how many terms were added up to get an entry.
        rtol: share of the largest entry that may be wrong for each term; what the
            dtype allows by default.
        least: the size that the result counts as having even if all of it is smaller.
    """
    assert np.shape(ours) == np.shape(theirs), (np.shape(ours), np.shape(theirs))
    ours, theirs = (x if hasattr(x, "dtype") else np.asarray(x) for x in (ours, theirs))
    dtype = str(theirs.dtype)
    assert str(ours.dtype) == dtype, (ours.dtype, dtype)
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if dtype not in TOLERANCE:
        np.testing.assert_array_equal(ours, theirs)
        return
    ours, theirs = ours.astype("float64"), theirs.astype("float64")
    finite = np.isfinite(theirs)
    scale = np.max(np.abs(theirs), initial=least, where=finite)
    share = (TOLERANCE[dtype] if rtol is None else rtol) * max(reduction, 1)
    # The message tells the recorder of compat/gallery what the float64 were before.
    np.testing.assert_allclose(ours, theirs, share, share * scale, err_msg=dtype)

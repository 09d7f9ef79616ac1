"""`tf.random`: draws of the Keras generators, which `set_seed` seeds.

The numbers are not TensorFlow's; after `set_seed` they repeat. As in TensorFlow, each
draw differs from the one before, also with `seed=`, except those of `stateless_*`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import random
from minikeras.legacy.tensorflow.dispatch import array, sizes, table
from minikeras.legacy.tensorflow.types import jax_dtype
from minikeras.random.seed_generator import draw_seed


def set_seed(seed):
    """Seed weights, dropout and draws; NumPy's generator is left alone.

    Args:
        seed: int.
    """
    from minikeras.utils import set_random_seed

    state = np.random.get_state()
    set_random_seed(int(seed))
    np.random.set_state(state)


def key_of(seed):
    """A raw JAX key of a `seed=`: pairs of ints are those of `stateless_*`."""
    if isinstance(seed, random.SeedGenerator):
        return draw_seed(seed)
    if seed is None or np.ndim(seed) == 0:
        return draw_seed(None) + np.array([int(seed or 0), 0], "uint32")
    return jnp.asarray(array(seed)).astype("uint32").reshape(2)


def _normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None):
    draws = jax.random.normal(key_of(seed), sizes(shape), jax_dtype(dtype))
    return draws * array(stddev) + array(mean)


def _truncated(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None):
    key, shape = key_of(seed), sizes(shape)
    draws = jax.random.truncated_normal(key, -2.0, 2.0, shape, jax_dtype(dtype))
    return draws * array(stddev) + array(mean)


def _uniform(shape, minval=0, maxval=None, dtype="float32", seed=None):
    dtype, shape = jax_dtype(dtype), sizes(shape)
    if jnp.issubdtype(dtype, jnp.integer):
        if maxval is None:
            raise ValueError(f"tf.random.uniform: dtype {dtype} needs `maxval`.")
        return jax.random.randint(
            key_of(seed), shape, array(minval), array(maxval), dtype
        )
    low, high = array(minval), array(1.0 if maxval is None else maxval)
    return jax.random.uniform(key_of(seed), shape, dtype) * (high - low) + low


def _categorical(logits, num_samples, dtype="int64", seed=None):
    shape = (int(num_samples), logits.shape[0])
    return jax.random.categorical(key_of(seed), logits, shape=shape).T.astype(
        jax_dtype(dtype)
    )


def _gamma(shape, alpha, beta=None, dtype="float32", seed=None):
    alpha = jnp.asarray(alpha, jax_dtype(dtype))
    draws = jax.random.gamma(key_of(seed), alpha, (*sizes(shape), *alpha.shape))
    return draws if beta is None else draws / array(beta)


def _poisson(shape, lam, dtype="float32", seed=None):
    lam = jnp.asarray(lam, "float32")
    # JAX has it for keys of threefry alone; a raw key of two words is one.
    draws = jax.random.poisson(key_of(seed), lam, (*sizes(shape), *lam.shape))
    return draws.astype(jax_dtype(dtype))


def _shuffle(value, seed=None):
    return jax.random.permutation(key_of(seed), value)


def dropout(x, rate, noise_shape=None, seed=None):
    """Zeros with the probability `rate`; what is left grows by 1 / (1 - rate).

    Args:
        x: tensor.
        rate: number, 0 to 1 (exclusive).
        noise_shape: sizes; those of 1 are kept or dropped as one.
        seed: int or None.
    """
    shape = x.shape if noise_shape is None else sizes(noise_shape)
    kept = jax.random.uniform(key_of(seed), shape) >= rate
    return jnp.where(kept, x / (1 - rate), 0).astype(x.dtype)


_DRAWS = {"normal": _normal, "truncated_normal": _truncated, "uniform": _uniform}
FUNCTIONS = table(
    "random.",
    {
        **_DRAWS,
        "categorical": _categorical,
        "gamma": _gamma,
        "poisson": _poisson,
        "shuffle": _shuffle,
        **{
            f"stateless_{name}": (
                lambda shape, seed, f=function, **kwargs: f(shape, seed=seed, **kwargs)
            )
            for name, function in _DRAWS.items()
        },
        "stateless_categorical": lambda logits, num_samples, seed, dtype="int64": (
            _categorical(logits, num_samples, dtype, seed)
        ),
    },
)
FUNCTIONS["set_seed"] = set_seed


class Generator:
    """`tf.random.Generator`: a generator with a state of its own.

    Args:
        seed: int; None: it follows from the global generator.
    """

    def __init__(self, seed=None):
        self._seeds = random.SeedGenerator(seed)

    @classmethod
    def from_seed(cls, seed, alg=None):
        """A generator whose draws follow from `seed`."""
        return cls(int(seed))

    @classmethod
    def from_non_deterministic_state(cls, alg=None):
        """A generator that starts anywhere."""
        return cls()

    def normal(self, shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
        """Draws of a normal distribution."""
        return FUNCTIONS["normal"](shape, mean, stddev, dtype, self._seeds)

    def truncated_normal(self, shape, mean=0.0, stddev=1.0, dtype="float32", name=None):
        """Draws of a normal distribution within two deviations."""
        return FUNCTIONS["truncated_normal"](shape, mean, stddev, dtype, self._seeds)

    def uniform(self, shape, minval=0, maxval=None, dtype="float32", name=None):
        """Draws of a uniform distribution."""
        return FUNCTIONS["uniform"](shape, minval, maxval, dtype, self._seeds)

"""Draws from blocks, and those in traced code, equal JAX's own, bit for bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import random
from minikeras.random import block_draws, threefry

F32 = np.dtype("float32")
DRAWS = {
    "uniform": (lambda k, s: jax.random.uniform(k, s, F32, -0.3, 1.7), (-0.3, 1.7)),
    "normal": (lambda k, s: jax.random.normal(k, s, F32), ()),
    "truncated_normal": (
        lambda k, s: jax.random.truncated_normal(k, -2.0, 2.0, s, F32),
        (),
    ),
}
# One entry, one block to the last entry and one more, many blocks, no axes.
SHAPES = [(), (1,), (3, 5), (1 << 14,), ((1 << 14) + 1,), (7, 31, 211)]


@pytest.mark.parametrize("kind", DRAWS)
def test_bits(kind):
    draw, bounds = DRAWS[kind]
    for i, shape in enumerate(SHAPES):
        key = jnp.asarray(np.array([12345 * i, 2**32 - 1 - i], "uint32"))
        expected = draw(key, shape)
        traced = jax.jit(
            lambda key, s=shape: threefry.draw_fused(kind, key, s, *bounds)
        )
        for found in (
            block_draws.draw_by_blocks(kind, key, shape, *bounds),
            traced(key),
        ):
            assert found.dtype == F32 and found.shape == shape
            np.testing.assert_array_equal(found, expected)


def test_one_program_for_all_shapes():
    block_draws._block.clear_cache()
    for units in (3, 40, 500):
        random.normal((7, units), seed=1)
    assert block_draws._block._cache_size() == 1


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_bernoulli(p):
    key = jnp.asarray(np.array([3, 4], "uint32"))
    found = jax.jit(lambda key: threefry.bernoulli(key, p, (40, 50)))(key)
    np.testing.assert_array_equal(found, jax.random.bernoulli(key, p, (40, 50)))


def test_other_draws_are_left_to_jax():
    key = jnp.zeros(2, "uint32")
    assert threefry.is_usable(key, F32)
    assert not threefry.is_usable(key, np.dtype("float16"))
    assert not threefry.is_usable(jax.random.key(0), F32)
    with jax.threefry_partitionable(False):
        assert not threefry.is_usable(key, F32)
    assert random.normal((0, 3), seed=1).shape == (0, 3)
    low = np.zeros(3, "float32")
    np.testing.assert_array_equal(
        random.uniform((2, 3), low, low + 2.0, seed=key),
        jax.random.uniform(key, (2, 3), F32, low, low + 2.0),
    )
    mapped = jax.vmap(lambda key: random.normal((5,), seed=key))(key[None])
    np.testing.assert_array_equal(mapped[0], random.normal((5,), seed=key))

"""Draws put together from blocks equal JAX's own, bit for bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import random
from minikeras.random import blocks

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
        found = blocks.draw(kind, key, shape, F32, *bounds)
        assert found.dtype == F32 and found.shape == shape
        np.testing.assert_array_equal(found, draw(key, shape))


def test_one_program_for_all_shapes():
    blocks._block.clear_cache()
    for units in (3, 40, 500):
        random.normal((7, units), seed=1)
    assert blocks._block._cache_size() == 1


def test_what_blocks_cannot_do_is_left_to_jax():
    key = jnp.zeros(2, "uint32")
    assert blocks.draw("normal", key, (2,), np.dtype("float16")) is None
    assert blocks.draw("normal", key, (0, 3), F32) is None
    assert blocks.draw("normal", jax.random.key(0), (2,), F32) is None
    assert blocks.draw("uniform", key, (2,), F32, jnp.zeros(2), 1.0) is None
    traced = jax.jit(lambda key: random.uniform((5,), seed=key))(key)
    np.testing.assert_array_equal(traced, random.uniform((5,), seed=key))
    with jax.threefry_partitionable(False):
        assert blocks.draw("normal", key, (2,), F32) is None

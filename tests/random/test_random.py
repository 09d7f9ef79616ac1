"""Seeds, streams and the shapes of draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import random
from minikeras.core.bridge import apply
from minikeras.random import seed_generator
from minikeras.random.seed_generator import set_random_seed


def test_the_state_is_the_key_and_counts():
    generator = random.SeedGenerator(7, name="stream")
    assert generator.state.path == "stream/seed_generator_state"
    assert not generator.state.trainable
    keys = [generator.next().tolist() for _ in range(3)]
    assert keys == [[7, 0], [7, 1], [7, 2]]
    assert generator.state.numpy().tolist() == [7, 3]
    drawn = random.normal((3,), seed=random.SeedGenerator(7))
    expected = jax.random.normal(jnp.array([7, 0], "uint32"), (3,))
    np.testing.assert_array_equal(drawn, expected)


def test_an_int_seed_repeats_and_a_generator_moves_on():
    generator = random.SeedGenerator(1)
    fixed = [random.uniform((4,), seed=1) for _ in range(2)]
    moving = [random.uniform((4,), seed=generator) for _ in range(2)]
    np.testing.assert_array_equal(*fixed)
    np.testing.assert_array_equal(fixed[0], moving[0])
    assert not np.array_equal(*moving)


def test_a_draw_inside_the_bridge_is_a_function_of_the_state():
    generator = random.SeedGenerator(3)
    variables = {"s": generator.state}

    @jax.jit
    def step(state):
        return apply(lambda: random.normal((2,), seed=generator), variables, state)

    first, state = step({"s": generator.state.value})
    second, state = step(state)
    assert state["s"].tolist() == [3, 2]
    assert generator.state.numpy().tolist() == [3, 0]
    for drawn in (first, second):
        np.testing.assert_array_equal(drawn, random.normal((2,), seed=generator))


def test_tracing_without_the_bridge_is_refused_and_leaves_the_state_alone():
    generator = random.SeedGenerator(3)
    for seed in (generator, None):
        with pytest.raises(ValueError, match="only use seeded random"):
            jax.jit(lambda seed=seed: random.normal((2,), seed=seed))()
    assert generator.next().tolist() == [3, 0]


def test_set_random_seed_restarts_everything():
    def script():
        set_random_seed(5)
        return random.normal((3,)), np.random.rand(), random.SeedGenerator().next()

    for a, b in zip(script(), script(), strict=True):
        np.testing.assert_array_equal(a, b)
    before = seed_generator.global_seed_generator()
    assert seed_generator.global_seed_generator() is before
    seed_generator.reset_global_seed_generator()
    assert seed_generator.global_seed_generator() is not before


@pytest.mark.parametrize("seed", ["a", 3.5, (1, 2), np.int64(3)])
def test_bad_seeds(seed):
    for use in (random.SeedGenerator, lambda s: random.normal((2,), seed=s)):
        with pytest.raises(ValueError, match="must be"):
            use(seed)
    if seed != 3:
        with pytest.raises(ValueError, match="integer"):
            set_random_seed(seed)


def test_bad_arguments():
    with pytest.raises(ValueError, match="floating point"):
        random.uniform((2,), dtype="int32")
    with pytest.raises(ValueError, match="integer `dtype`"):
        random.randint((2,), 0, 3, dtype="float32")
    with pytest.raises(ValueError, match="batch, classes"):
        random.categorical(np.ones(3), 2)
    with pytest.raises(ValueError, match="Unrecognized"):
        random.SeedGenerator(1, size=3)


def test_moments_of_the_draws():
    """Means and bounds of 20,000 draws, within five standard errors."""
    shape = (20_000,)
    sample = random.normal(shape, 3.0, 2.0, seed=1)
    assert abs(np.mean(sample) - 3.0) < 5 * 2.0 / 141
    cut = random.truncated_normal(shape, 3.0, 2.0, seed=1)
    assert -1.0 <= np.min(cut) and np.max(cut) <= 7.0
    even = random.uniform(shape, -1.0, 3.0, seed=1)
    assert -1.0 <= np.min(even) and np.max(even) < 3.0
    assert abs(np.mean(even) - 1.0) < 5 * 1.155 / 141
    classes = random.categorical(np.log([[0.2, 0.8]]), 20_000, seed=1)
    assert abs(np.mean(classes) - 0.8) < 5 * 0.4 / 141


def test_dropout():
    x = jnp.arange(1.0, 2001.0).reshape(500, 4)
    y = np.asarray(random.dropout(x, 0.25, seed=1))
    kept = y != 0
    np.testing.assert_allclose(y[kept], np.asarray(x)[kept] / 0.75, rtol=1e-6)
    assert abs(kept.mean() - 0.75) < 5 * 0.433 / np.sqrt(2000)
    rows = np.asarray(random.dropout(x, 0.25, noise_shape=(None, 1), seed=1)) != 0
    assert (rows.all(axis=1) | ~rows.any(axis=1)).all()
    slope = jax.grad(lambda x: jnp.sum(random.dropout(x, 1.0, seed=1)))(x)
    np.testing.assert_array_equal(slope, jnp.zeros_like(x))


def test_shuffle_permutes_each_lane():
    x = np.arange(12).reshape(4, 3)
    y = np.asarray(random.shuffle(x, seed=3))
    assert not np.array_equal(x, y)
    np.testing.assert_array_equal(np.sort(y, axis=0), x)


def test_bad_dropout_is_named():
    with pytest.raises(ValueError, match=r"noise_shape=\(3, 3\).*\(2, 2\)"):
        random.dropout(np.ones((2, 2), "float32"), 0.5, noise_shape=(3, 3), seed=1)
    with pytest.raises(TypeError, match="expected floats.*int32"):
        random.dropout(np.ones((2, 2), "int32"), 0.5, seed=1)

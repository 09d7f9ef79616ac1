"""Numbers of a run: how many were drawn, what is kept of large arrays."""

import random

import numpy as np
import pytest

from minikeras.parity.side.values import MAX_ELEMENTS, Draws, flat, kept


@pytest.mark.parametrize("count", [0, 1, 7, 623, 624, 625, 5000])
def test_draws_are_counted(count):
    random.seed(3)
    np.random.seed(5)
    for _ in range(100):  # in the middle of a block
        random.getrandbits(32)
    draws = Draws()
    for _ in range(count):
        random.getrandbits(32)
    for _ in range(count):
        np.random.bytes(4)
    found = {name: words for name, (words, _) in draws.since().items()}
    assert found == {"random": count, "np.random": count}
    assert draws.since()["random"][0] == 0  # counted from the last question on


def test_a_new_seed_is_told_from_draws():
    np.random.seed(1)
    draws = Draws()
    np.random.seed(2)
    words, digest = draws.since()["np.random"]
    assert words is None
    np.random.seed(2)
    assert Draws().since()["np.random"] == (0, digest)


def test_large_arrays_are_thinned_evenly():
    x = np.arange(3 * MAX_ELEMENTS, dtype="float32").reshape(3, -1)
    thin = kept(x)
    assert MAX_ELEMENTS // 2 < thin.size <= MAX_ELEMENTS
    np.testing.assert_array_equal(thin, x.ravel()[::3])


def test_half_precision_travels_as_float32():
    import jax.numpy as jnp

    for dtype in ("bfloat16", "float16", "float8_e4m3fn"):
        x = jnp.asarray([1.5, -2.0], dtype)
        assert kept(x).dtype == np.float32
        np.testing.assert_array_equal(kept(x), [1.5, -2.0])


def test_leaves_have_paths():
    tree = {"a": [1, None, (2, 3)], "b": {"c": 4}}
    assert flat(tree) == {"a/0": 1, "a/2/0": 2, "a/2/1": 3, "b/c": 4}
    assert flat(5) == {"": 5}

"""`keras.random` and the initializers against Keras on JAX: equal to the last bit."""

import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import random

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras

PACKAGES = (keras, minikeras)
LOGITS = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
ROWS = jnp.arange(24.0, dtype="float32").reshape(6, 4)

DRAWS = {
    "normal": lambda r, **k: r.normal((3, 4), 1.5, 0.3, **k),
    "normal-bfloat16": lambda r, **k: r.normal((5,), 1.5, 0.3, "bfloat16", **k),
    "truncated_normal": lambda r, **k: r.truncated_normal((3, 4), 1.5, 0.3, **k),
    "uniform": lambda r, **k: r.uniform((3, 4), -2, 0.5, **k),
    "uniform-float16": lambda r, **k: r.uniform((5,), dtype="float16", **k),
    "randint": lambda r, **k: r.randint((3, 4), -5, 30, **k),
    "randint-uint8": lambda r, **k: r.randint((9,), 0, 300, dtype="uint8", **k),
    "gamma": lambda r, **k: r.gamma((4,), 2.5, **k),
    "beta": lambda r, **k: r.beta((4,), 2.5, 1.3, **k),
    "binomial": lambda r, **k: r.binomial((4,), 10, 0.3, **k),
    "categorical": lambda r, **k: r.categorical(LOGITS, 6, **k),
    "shuffle": lambda r, **k: r.shuffle(ROWS, **k),
    "shuffle-1": lambda r, **k: r.shuffle(ROWS, axis=1, **k),
    "dropout": lambda r, **k: r.dropout(ROWS, 0.3, **k),
    "dropout-all": lambda r, **k: r.dropout(ROWS, 1.0, **k),
    "dropout-shape": lambda r, **k: r.dropout(ROWS, 0.3, noise_shape=(None, 1), **k),
}


def assert_same(ours, theirs):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", DRAWS)
def test_draws(name):
    theirs, ours = (DRAWS[name](package.random, seed=7) for package in PACKAGES)
    assert_same(ours, theirs)


def test_a_jax_key_is_a_seed():
    key = jax.random.PRNGKey(5)
    theirs, ours = (package.random.normal((3,), seed=key) for package in PACKAGES)
    assert_same(ours, theirs)


def test_the_global_stream():
    """Draws without a seed follow `set_random_seed`, and use up Python's `random`."""

    def script(package):
        package.utils.set_random_seed(3)
        first = [package.random.normal((2,)), package.random.uniform((3,))]
        first += [package.random.dropout(ROWS, 0.5), package.random.normal((2,))]
        package.utils.clear_session()
        return [*first, package.random.normal((2,)), random.random(), np.random.rand()]

    for theirs, ours in zip(*map(script, PACKAGES), strict=True):
        assert_same(ours, theirs)


def test_seed_generators():
    def script(package):
        package.utils.set_random_seed(1)
        package.utils.clear_session()
        given = package.random.SeedGenerator(5, name="given")
        drawn, nameless = (
            package.random.SeedGenerator(),
            package.random.SeedGenerator(2),
        )
        keys = [given.next(), given.next(ordered=False), given.next(), drawn.next()]
        big = package.random.SeedGenerator(2**32 - 1)
        keys += [big.next(ordered=False), big.next()]
        texts = [given.get_config(), drawn.get_config(), nameless.state.path]
        texts += [given.state.path, given.state.trainable, given.state.dtype]
        return keys, texts

    (their_keys, their_texts), (our_keys, our_texts) = map(script, PACKAGES)
    for theirs, ours in zip(their_keys, our_keys, strict=True):
        assert_same(ours, theirs)
    assert our_texts == their_texts


PRESETS = "GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform"
SHAPES = [(), (5,), (3, 4), (2, 3, 4), (3, 2, 4, 5)]
INITIALIZERS = [
    *((name, {"seed": 7}, shape) for name in PRESETS.split() for shape in SHAPES),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.3, "seed": 7}, (3, 4)),
    ("RandomUniform", {"minval": 1.0, "maxval": 3, "seed": 7}, (3, 4)),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 0.3, "seed": 7}, (3, 4)),
    ("VarianceScaling", {"mode": "fan_out", "scale": 0.3, "seed": 7}, (3, 4)),
    ("VarianceScaling", {"distribution": "untruncated_normal", "seed": 7}, (3, 4)),
    ("HeNormal", {"input_axes": [0], "output_axes": [1, 2], "seed": 7}, (4, 5, 6)),
    ("HeNormal", {"input_axes": [0], "seed": 7}, (4, 5, 6)),
    *(("Orthogonal", {"gain": 1.5, "seed": 7}, s) for s in [(3, 4), (4, 3), (2, 3, 4)]),
    ("Identity", {"gain": 2.0}, (2, 3)),
    ("Constant", {"value": 3.5}, (2, 3)),
    ("Constant", {"value": [1.0, 2.0]}, (3, 2)),
    ("Ones", {}, (2, 3)),
    ("Zeros", {}, (2, 3)),
]


@pytest.mark.parametrize("case", INITIALIZERS, ids=lambda c: f"{c[0]}-{len(c[2])}")
def test_initializers(case):
    name, arguments, shape = case
    theirs, ours = (getattr(p.initializers, name)(**arguments) for p in PACKAGES)
    assert_same(ours(shape), theirs(shape))
    if name != "Identity":  # Keras leaves the gain out
        assert minikeras.initializers.serialize(ours) == keras.initializers.serialize(
            theirs
        )
        copy = minikeras.initializers.deserialize(keras.initializers.serialize(theirs))
        assert copy.get_config().keys() == ours.get_config().keys()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_initializers_of_half_floats(dtype):
    theirs, ours = (p.initializers.HeNormal(seed=7) for p in PACKAGES)
    assert_same(ours((3, 4), dtype), theirs((3, 4), dtype))


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("window", [None, "hann", "tukey"])
@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
def test_stft(side, window, scaling):
    theirs, ours = (p.initializers.STFT(side, window, scaling) for p in PACKAGES)
    shape = (16, 1, 9)
    np.testing.assert_allclose(ours(shape), theirs(shape), atol=5e-6)
    assert ours.get_config() == theirs.get_config()


def test_an_initializer_by_name_draws_its_seed_when_it_is_made():
    def seeds(package):
        package.utils.set_random_seed(3)
        made = package.initializers.get("glorot_uniform")
        copy = made.clone()
        return [made.seed, copy.seed, random.random()]

    assert seeds(minikeras) == seeds(keras)


def test_a_seed_generator_in_a_config():
    def made(package):
        generator = package.random.SeedGenerator(5, name="stream")
        return package.initializers.GlorotUniform(seed=generator)

    theirs, ours = map(made, PACKAGES)
    assert ours.get_config() == theirs.get_config()
    for _ in range(2):
        assert_same(ours((2, 3)), theirs((2, 3)))
    config = json.loads(json.dumps(keras.initializers.serialize(theirs)))
    again = minikeras.initializers.deserialize(config)
    assert again.seed.get_config() == {"seed": 5, "name": "stream"}

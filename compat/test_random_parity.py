"""`keras.random` and the initializers against Keras on JAX: equal to the last bit."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect
import json
import random

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat.draw import Draw, both, cases

PACKAGES = (keras, minikeras)
ROWS = jnp.arange(24.0, dtype="float32").reshape(6, 4)
FLOATS = ("float32", "float32", "float32", "bfloat16", "float16", "float64")
INTS = ("int32", "int32", "int64", "uint8", "int16", "uint32")


def assert_same(ours, theirs):
    """Equal to the last bit."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def floats(**more):
    """How to draw the arguments of a draw of floats: shape, dtype, some of `more`."""

    def draw(d):
        shape = d.choice((), (0,), (1,), (3, 4), (2, 1, 5))
        return {"shape": shape, "dtype": d.choice(None, *FLOATS), **d.options(more)}

    return draw


def integers(d):
    low = d.choice(-5, 0, 3)
    dtype = d.choice(*INTS)
    low = abs(low) if dtype.startswith("u") else low
    return {
        **{"shape": d.choice((), (3, 4), (0,)), "dtype": dtype},
        **{"minval": low, "maxval": low + d.choice(1, 2, 100)},
    }


def gamma(d):
    dtype = d.choice(None, *FLOATS[:5])
    alpha = d.choice(0.5, 2.5, d.uniform((4,), 0.3, 3.0, dtype or "float32"))
    return {"shape": (3, 4), "alpha": alpha, "dtype": dtype}


def beta(d):
    return {**gamma(d), "beta": d.choice(0.7, 3.0)}  # compiling takes seconds


def binomial(d):
    return {
        **{"shape": (3, 4), "counts": d.choice(1, 10, 40, np.float32(7))},
        "probabilities": d.choice(0.0, 0.3, 0.9, d.uniform((4,))),
        "dtype": d.choice(None, *FLOATS[:5]),
    }


def categorical(d):
    return {
        "logits": d.normal(
            (d.choice(1, 3), d.choice(1, 5)), dtype=d.choice(*FLOATS[:5])
        ),
        "num_samples": d.choice(0, 1, 6),
        "dtype": d.choice("int32", "int64", "uint8"),
    }


def shuffle(d):
    x = d.normal((5, 2, 3), dtype=d.choice("float32", "bfloat16", "int32", "bool"))
    return {"x": x, **d.options({"axis": (0, 1, -1)})}


def dropout(d):
    shapes = ((None, 1, None), (5, 1, 3), (2, 3), (None, None, 3))
    return {
        "inputs": jnp.asarray(d.normal((5, 2, 3), dtype=d.choice(*FLOATS[:5]))),
        "rate": d.choice(0.0, 0.3, 0.9, 1.0),
        **d.options({"noise_shape": shapes}),
    }


DRAWS = {
    "normal": floats(mean=(1.5, np.float32(-2)), stddev=(0.3, 2)),
    "truncated_normal": floats(mean=(1.5, np.float32(-2)), stddev=(0.3, 2)),
    "uniform": floats(minval=(-2, 0.25), maxval=(0.5, 7)),
    "randint": integers,
    "gamma": gamma,
    "beta": beta,
    "binomial": binomial,
    "categorical": categorical,
    "shuffle": shuffle,
    "dropout": dropout,
}


def test_every_public_function_has_a_case():
    names = {
        n for n in dir(keras.random) if inspect.isfunction(getattr(keras.random, n))
    }
    assert set(DRAWS) == names


@pytest.mark.filterwarnings("ignore:.*float64|.*int64")
@pytest.mark.parametrize(("name", "seed"), cases(sorted(DRAWS), 16))
def test_draws(name, seed):
    """Twice with an int, a SeedGenerator, and the global generator."""
    arguments = DRAWS[name](Draw("random", name, seed))
    kind = Draw("kind", name, seed).choice("int", "generator", "global", "jit")

    def run(package):
        package.utils.set_random_seed(seed)
        given = {"int": seed, "generator": package.random.SeedGenerator(seed)}.get(kind)
        function = getattr(package.random, name)
        if kind == "jit":
            return [jax.jit(lambda: function(seed=7, **arguments))()]
        return [function(seed=given, **arguments) for _ in range(2)]

    for theirs, ours in zip(*both(run, PACKAGES), strict=True):
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
AXES = {"input_axes": ([0], [-2]), "output_axes": ([1], [-1])}
SHAPES = ((), (5,), (3, 4), (4, 3), (2, 3, 4), (3, 2, 4, 5))
# {name: (its arguments, shapes)}
INITIALIZERS = {
    **{name: (AXES, SHAPES) for name in PRESETS.split()},
    "Constant": ({"value": (3.5, -1, [1.0, 2.0, 0.5, 4.0])}, ((3, 4), (4,))),
    "Identity": ({"gain": (2.0,)}, ((3, 4), (4, 3), (2, 2))),
    "Ones": ({}, SHAPES),
    "Orthogonal": ({"gain": (1.5,)}, SHAPES[2:]),
    "RandomNormal": ({"mean": (1.0,), "stddev": (0.3,)}, SHAPES),
    "RandomUniform": ({"minval": (-1.0, -2), "maxval": (0.3, 3)}, SHAPES),
    "STFT": (
        {"side": ("real", "imag"), "window": (None, "hann"), "scaling": (None,)},
        ((16, 1, 9), (8, 1, 9)),
    ),
    "TruncatedNormal": ({"mean": (1.0,), "stddev": (0.3,)}, SHAPES),
    "VarianceScaling": (
        {
            **{"scale": (0.3, 2.0), "mode": ("fan_in", "fan_out", "fan_avg")},
            "distribution": ("truncated_normal", "untruncated_normal", "uniform"),
            **AXES,
        },
        SHAPES,
    ),
    "Zeros": ({}, SHAPES),
}
SEEDLESS = {"Constant", "Identity", "Ones", "STFT", "Zeros"}


def test_every_public_initializer_has_a_case():
    found = {n: getattr(keras.initializers, n) for n in dir(keras.initializers)}
    classes = {c.__name__ for c in found.values() if inspect.isclass(c)}
    assert set(INITIALIZERS) == classes - {"Initializer"}


@pytest.mark.filterwarnings("ignore:.*float64")
@pytest.mark.parametrize(("name", "seed"), cases(sorted(INITIALIZERS), 16))
def test_initializers(name, seed):
    """Two values, with a seed of each kind, and the configs."""
    d = Draw("initializer", name, seed)
    table, shapes = INITIALIZERS[name]
    arguments, shape = d.options(table), d.choice(*shapes)
    dtype = d.choice(None, "float32", "float32", "bfloat16", "float16", "float64")
    if name == "Orthogonal" and dtype in ("bfloat16", "float16"):
        dtype = None  # Keras refuses
    kind = d.choice("int", "generator", "generated")

    def run(package):
        package.utils.set_random_seed(seed)
        given = {"int": seed, "generator": package.random.SeedGenerator(seed, name="s")}
        more = {} if name in SEEDLESS else {"seed": given.get(kind)}
        made = getattr(package.initializers, name)(**arguments, **more)
        config = json.loads(json.dumps(package.initializers.serialize(made)))
        return [made(shape, dtype), made(shape, dtype)], config

    (theirs, their_config), (ours, our_config) = both(run, PACKAGES)
    for a, b in zip(ours, theirs, strict=True):
        if name == "STFT":  # cos and sin of numpy, not of XLA in half width
            np.testing.assert_allclose(
                a, b, atol=5e-6 if a.dtype == "float32" else 0.02
            )
        else:
            assert_same(a, b)
    if name != "Identity":  # Keras leaves the gain out
        assert our_config == their_config
        again = minikeras.initializers.deserialize(their_config)
        config = json.loads(json.dumps(minikeras.initializers.serialize(again)))
        assert config == their_config


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

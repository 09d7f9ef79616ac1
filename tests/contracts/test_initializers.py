"""What every initializer promises, for every class."""

import inspect
import json
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import initializers
from minikeras.core.naming import to_snake_case

# {class: (arguments, shape of a weight, does it draw random numbers?)}
ROWS = {
    "Constant": ({"value": 2.5}, (3, 2), False),
    "GlorotNormal": ({}, (3, 2), True),
    "GlorotUniform": ({}, (3, 2), True),
    "HeNormal": ({"input_axes": [0], "output_axes": [1]}, (3, 2), True),
    "HeUniform": ({}, (3, 2), True),
    "Identity": ({"gain": 2.0}, (3, 2), False),
    "LecunNormal": ({}, (3, 2), True),
    "LecunUniform": ({}, (3, 2), True),
    "Ones": ({}, (3, 2), False),
    "Orthogonal": ({"gain": 2.0}, (3, 2), True),
    "RandomNormal": ({"mean": 1.0, "stddev": 0.5}, (3, 2), True),
    "RandomUniform": ({"minval": 0.0, "maxval": 1.0}, (3, 2), True),
    "STFT": ({"side": "imag"}, (4, 1, 3), False),
    "TruncatedNormal": ({"mean": 1.0, "stddev": 0.5}, (3, 2), True),
    "VarianceScaling": ({"mode": "fan_out"}, (3, 2), True),
    "Zeros": ({}, (3, 2), False),
}
RANDOM = [name for name, (_, _, draws) in ROWS.items() if draws]
_each = pytest.mark.parametrize("name", ROWS)
_each_random = pytest.mark.parametrize("name", RANDOM)


def make(name, **seed):
    settings, shape, draws = ROWS[name]
    return getattr(initializers, name)(**settings, **(seed if draws else {})), shape


def through_json(initializer):
    config = json.loads(json.dumps(initializers.serialize(initializer)))
    return initializers.deserialize(config)


def test_table_covers_every_initializer():
    public = {getattr(initializers, name) for name in initializers.__all__}
    classes = {cls.__name__ for cls in public if inspect.isclass(cls)}
    assert classes - {"Initializer"} == {*ROWS}


@_each
def test_config_round_trip(name):
    initializer, shape = make(name, seed=7)
    again = through_json(initializer)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    np.testing.assert_array_equal(again(shape), initializer(shape))
    assert initializers.get(initializer) is initializer
    assert type(initializers.get(initializers.serialize(initializer))) is type(again)


@_each
def test_get_by_name(name):
    made = initializers.get(name)
    assert type(made) is type(initializers.get(to_snake_case(name)))
    assert type(made) is getattr(initializers, name)


@_each
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_shape_and_dtype(name, dtype):
    initializer, shape = make(name, seed=7)
    value = initializer(shape, dtype=dtype)
    assert value.shape == shape and value.dtype == jnp.dtype(dtype)
    # float16 keeps 3 digits, bfloat16 two. Draws of other dtypes are other numbers.
    if name not in RANDOM:
        want = np.float32(initializer(shape))
        np.testing.assert_allclose(np.float32(value), want, 1e-2, 1e-3)
    assert np.all(np.isfinite(np.float32(value)))


@_each
def test_jit_equals_eager(name):
    initializer, shape = make(name, seed=7)
    fast = jax.jit(lambda: initializer(shape))()
    np.testing.assert_allclose(fast, initializer(shape), rtol=1e-5, atol=1e-6)


@_each_random
def test_same_seed_same_values(name):
    initializer, shape = make(name, seed=7)
    first = initializer(shape)
    np.testing.assert_array_equal(initializer(shape), first)
    np.testing.assert_array_equal(make(name, seed=7)[0](shape), first)
    np.testing.assert_array_equal(initializer.clone()(shape), first)
    assert np.any(make(name, seed=8)[0](shape) != first)


@_each_random
def test_without_a_seed_each_copy_draws_its_own(name):
    initializer, shape = make(name)
    assert np.any(initializer.clone()(shape) != initializer(shape))
    assert np.any(through_json(initializer)(shape) != initializer(shape))
    random.seed(3)
    first = make(name)[0](shape)
    random.seed(3)
    np.testing.assert_array_equal(make(name)[0](shape), first)


@_each_random
def test_bad_seed(name):
    with pytest.raises(ValueError, match="seed must be an int, a SeedGenerator or"):
        make(name, seed="seven")


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: initializers.VarianceScaling(scale=0.0), "`scale` must be positive"),
        (lambda: initializers.VarianceScaling(mode="fan"), "Invalid `mode`"),
        (lambda: initializers.VarianceScaling(distribution="u"), "`distribution`"),
        (lambda: initializers.STFT(side="left"), "side must be"),
        (lambda: initializers.STFT(scaling="loud"), "scaling must be"),
        (lambda: initializers.Identity()((2,)), "shape of a matrix"),
        (lambda: initializers.Orthogonal()((2,)), "two axes or more"),
        (lambda: initializers.get("he_norml"), "Did you mean"),
        (lambda: initializers.get(np.ones(2))((3,)), "Expected `shape` to be"),
        (lambda: initializers.Initializer()((2,)), "must define `__call__"),
    ],
)
def test_bad_arguments_are_named(make, match):
    with pytest.raises((ValueError, NotImplementedError), match=match):
        make()

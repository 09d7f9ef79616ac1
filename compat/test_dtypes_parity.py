"""Dtypes by name, their promotion and policies, against Keras."""

import itertools
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat.draw import outcome

NAMED = """
    bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 bfloat16 float16 float32
    float64 float8_e4m3fn float8_e5m2 complex64 string int4 int float double nonsense
""".split()
OTHERS = [int, float, bool, complex, None, np.float32, np.dtype("int16"), jnp.bfloat16]
DTYPES = [*NAMED, *OTHERS]


def same(function, *args):
    (theirs, refused), (ours, error) = (
        outcome(getattr(package.backend, function), *args)
        for package in (keras, minikeras)
    )
    assert ours == theirs, args
    assert type(error) is type(refused), (args, error, refused)


@pytest.mark.parametrize("first", DTYPES, ids=str)
def test_result_type(first):
    same("result_type", first)
    for second in DTYPES:
        same("result_type", first, second)


def test_result_type_of_three():
    rng = np.random.default_rng(0)
    triples = list(itertools.product(NAMED[:13], repeat=3))
    for i in rng.permutation(len(triples))[:300]:
        same("result_type", *triples[i])


@pytest.mark.parametrize(
    "function", ["standardize_dtype", "is_float_dtype", "is_int_dtype"]
)
def test_kinds(function):
    for dtype in DTYPES:
        same(function, dtype)


POLICIES = """
    float32 mixed_float16 mixed_bfloat16 int8_from_float32 int8_from_float16
    float8_from_mixed_bfloat16 int4_from_float32 int4/64_from_bfloat16
    int4/0_from_float32 gptq/4/128_from_float32 gptq/5/128_from_float32
    awq/4/-1_from_float32 awq/8/1_from_float32 int8 int8_from_ nonsense
    gptq_from_float32
""".split()


@pytest.mark.parametrize("name", POLICIES)
def test_policies(name):
    (theirs, refused), (ours, error) = (
        outcome(package.dtype_policies.get, name) for package in (keras, minikeras)
    )
    assert type(error) is type(refused)
    if refused is None:
        assert type(ours).__name__ == type(theirs).__name__
        assert repr(ours) == repr(theirs)
        for attribute in ("compute_dtype", "variable_dtype", "quantization_mode"):
            assert getattr(ours, attribute) == getattr(theirs, attribute)
        serialized = minikeras.dtype_policies.serialize(ours)
        assert serialized == keras.dtype_policies.serialize(theirs)


def test_policy_maps():
    entries = {"a/.*": "bfloat16", "b": "mixed_float16"}
    maps = []
    for package in (keras, minikeras):
        policies = package.dtype_policies
        made = {k: policies.get(v) for k, v in entries.items()}
        maps.append(policies.DTypePolicyMap("float32", made))
    theirs, ours = maps
    for path in ("a/x", "b", "b/c", "other"):
        assert ours[path].name == theirs[path].name
    assert ours.name == theirs.name
    assert minikeras.dtype_policies.serialize(ours) == keras.dtype_policies.serialize(
        theirs
    )

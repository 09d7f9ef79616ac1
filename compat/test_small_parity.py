"""Activations, regularizers, constraints and trees against Keras; bad input."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect
import json
from collections import OrderedDict, defaultdict, deque
from typing import NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat.draw import Draw, assert_close, both, cases, cast, outcome

PACKAGES = (keras, minikeras)
# Kinks and what lies around them.
POINTS = np.array(
    [-7, -3, -1, -0.5, -0.2, 0, 0.1, 0.5, 1, 2, 3, 4, 6, 7], dtype="float32"
)
# {name: its options}
ACTIVATIONS = {
    name: {}
    for name in dir(keras.activations)
    if name[0] != "_" and name not in ("get", "serialize", "deserialize")
}
ACTIVATIONS |= {
    "celu": {"alpha": (0.5,)},
    "elu": {"alpha": (0.5,)},
    "gelu": {"approximate": (True,)},
    "glu": {"axis": (-1, 0)},
    "hard_shrink": {"threshold": (1.0,)},
    "leaky_relu": {"negative_slope": (0.5,)},
    "log_softmax": {"axis": (0, -1)},
    "relu": {
        "negative_slope": (0.5,),
        "max_value": (2.0, 6.0, 6),
        "threshold": (1.0, -1.0),
    },
    "soft_shrink": {"threshold": (1.0,)},
    "softmax": {"axis": (0, -1)},
    "squareplus": {"b": (1.0,)},
}
# Keras 3.15.1 sums running sums here: its results do not sum to 1.
WRONG_VALUES = {"sparsemax"}
# Keras's take no KerasTensors.
NOT_SYMBOLIC = {"sparsemax", "mish", "hard_silu", "hard_swish"}


@pytest.mark.parametrize(("name", "seed"), cases(sorted(ACTIVATIONS), 8))
def test_activations(name, seed):
    """Values and gradients under jit, kinks included."""
    if name in WRONG_VALUES:
        pytest.skip("Keras is wrong here")
    d = Draw("activation", name, seed)
    settings = d.options(ACTIVATIONS[name])
    if name == "threshold":
        settings = {
            "threshold": d.choice(-1.0, 1.0),
            "default_value": d.choice(0.0, 5.0),
        }
    x = d.normal((*d.shape(0, 2), d.choice(2, 4)), 4.0)
    x = POINTS if d.chance(0.3) else np.where(d.bools(x.shape), np.round(x), x)
    dtype = d.choice("float32", "float32", "float32", "bfloat16", "float16", "int32")
    x = cast(x, dtype)

    def run(package):
        function = getattr(package.activations, name)
        if dtype != "float32":
            return [jax.jit(lambda x: function(x, **settings))(x)]

        def loss(x):
            y = function(x, **settings)
            return jnp.sum(y * jnp.arange(1.0, y.size + 1).reshape(y.shape)), y

        gradient, y = jax.jit(jax.grad(loss, has_aux=True))(x)
        return [y, gradient]

    theirs, ours = both(run, PACKAGES)
    for a, b, rtol in zip(ours, theirs, (None, 1e-5), strict=False):
        assert_close(a, b, x.shape[-1], rtol)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("shape", [(None, 4), (None, None, 2), (3, 6)], ids=str)
def test_activations_of_keras_tensors(name, shape):
    settings = {"threshold": 0.5, "default_value": 0.0} if name == "threshold" else {}

    def spec(package):
        x = package.KerasTensor(shape, "bfloat16")
        out = getattr(package.activations, name)(x, **settings)
        return tuple(out.shape), out.dtype

    theirs, refused = outcome(spec, keras)
    if refused is None or name not in NOT_SYMBOLIC:
        assert spec(minikeras) == theirs


@pytest.mark.parametrize("name", ["relu", "swish", "hard_silu", "linear", "tanh"])
def test_activations_by_name(name):
    theirs, ours = (p.activations for p in PACKAGES)
    assert ours.serialize(ours.get(name)) == theirs.serialize(theirs.get(name))


def test_a_layer_as_activation():
    def config(package):
        package.utils.clear_session(free_memory=False)
        layer = package.layers.LeakyReLU(0.3, name="leaky")
        return package.activations.serialize(package.activations.get(layer))

    assert config(minikeras)["config"] == config(keras)["config"]


REGULARIZERS = {
    "L1": {"l1": (0.25, 0, None)},
    "L2": {"l2": (0.3, 0, None)},
    "L1L2": {"l1": (0.1, None), "l2": (0.2, 0)},
    "OrthogonalRegularizer": {"factor": (0.5,), "mode": ("rows", "columns")},
}
AXES = (0, 1, -1, [0, 1], (0, 1))
CONSTRAINTS = {
    "MaxNorm": {"max_value": (1.5, 0), "axis": AXES},
    "MinMaxNorm": {
        **{"min_value": (0.5,), "max_value": (0.8, 2.0)},
        **{"rate": (0.3, 0.0), "axis": AXES},
    },
    "NonNeg": {},
    "UnitNorm": {"axis": AXES},
}


def test_every_public_class_has_a_case():
    for family, table in (("regularizers", REGULARIZERS), ("constraints", CONSTRAINTS)):
        found = vars(getattr(keras, family)).values()
        names = {c.__name__ for c in found if inspect.isclass(c)}
        assert names - {"Regularizer", "Constraint"} == set(table)


@pytest.mark.parametrize(("name", "seed"), cases(sorted(REGULARIZERS), 12, fast=3))
def test_regularizers(name, seed):
    d = Draw("regularizer", name, seed)
    settings = d.options(REGULARIZERS[name])
    matrix = (d.choice(2, 3), d.choice(2, 4))
    x = d.normal(matrix if name[0] == "O" else d.shape(0, 3))
    dtype = d.choice("float32", "float32", "bfloat16")

    def run(package):
        made = getattr(package.regularizers, name)(**settings)
        if dtype != "float32":
            return (jax.jit(made)(x.astype(dtype)),), made.get_config()
        return jax.jit(jax.value_and_grad(made))(x), made.get_config()

    (theirs, their_config), (ours, our_config) = both(run, PACKAGES)
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b, x.size)
    # Keras rounds some factors to float32.
    mode = our_config.pop("mode", None), their_config.pop("mode", None)
    assert mode[0] == mode[1]
    assert our_config == pytest.approx(their_config, rel=1e-6)


@pytest.mark.parametrize(("name", "seed"), cases(sorted(CONSTRAINTS), 12, fast=3))
def test_constraints(name, seed):
    d = Draw("constraint", name, seed)
    settings = d.options(CONSTRAINTS[name])
    x = d.normal((*d.shape(1, 2), d.choice(2, 4)))
    if d.chance(0.3):
        x[0] = 0
    dtype = d.choice("float32", "float32", "bfloat16")

    def run(package):
        made = getattr(package.constraints, name)(**settings)
        config = json.loads(json.dumps(package.constraints.serialize(made)))
        return jax.jit(made)(x.astype(dtype)), config

    (theirs, their_config), (ours, our_config) = both(run, PACKAGES)
    assert_close(ours, theirs, len(x))
    assert our_config == their_config
    again = minikeras.constraints.deserialize(their_config)
    assert json.loads(json.dumps(minikeras.constraints.serialize(again))) == our_config


class Point(NamedTuple):
    x: object
    y: object


def nest(d, depth=3):
    """A random nest of everything that a nest is made of."""
    if depth == 0 or d.chance(0.2):
        return d.choice(1, None, "text", 2.5, {1, 2})
    parts = [nest(d, depth - 1) for _ in range(d.choice(0, 1, 2, 3))]
    keys = d.rng.permutation(["b", "a", "c"])[: len(parts)].tolist()
    pairs = list(zip(keys, parts, strict=True))
    kind = d.choice(list, tuple, dict, OrderedDict, "default", deque, Point)
    if kind is Point:
        return Point(nest(d, depth - 1), nest(d, depth - 1))
    if kind == "default":
        return defaultdict(int, pairs)
    return kind(pairs if kind in (dict, OrderedDict) else parts)


@pytest.mark.parametrize("seed", range(60))
def test_tree(seed):
    d = Draw("tree", seed)
    one, other = nest(d), nest(d)
    changed = minikeras.tree.map_structure(lambda x: [x, 0], one)
    visit = d.choice("leaf", "container", "none")
    top_down = d.chance()

    def run(package):
        tree, seen = package.tree, []

        def visited(x):
            seen.append(repr(x))
            if visit == "none" and x == 1:
                return tree.MAP_TO_NONE
            if visit == "container" and isinstance(x, tuple):
                return "tuple"
            return "one" if x == 1 else None

        leaves = tree.flatten(one)
        found = [
            tree.is_nested(one),
            leaves,
            tree.flatten_with_path(one),
            tree.pack_sequence_as(one, range(len(leaves))),
            tree.map_structure(repr, one),
            tree.map_structure(lambda x, y: (x, y), one, one, none_is_leaf=False),
            tree.map_shape_structure(repr, one),
            tree.lists_to_tuples(one),
            tree.traverse(visited, one, top_down=top_down),
            seen,
        ]
        if None not in leaves:  # a shallow None stops Keras
            found.append(tree.map_structure_up_to(one, lambda x: [x], changed))
        for check in (tree.assert_same_structure, tree.assert_same_paths):
            found += [outcome(check, one, other)[1] is None, check(one, one)]
        return repr(found)

    theirs, ours = both(run, PACKAGES)
    assert ours == theirs


@pytest.mark.parametrize("family", ["regularizers", "constraints", "initializers"])
def test_every_name_gets_the_same_class(family):
    theirs, ours = (getattr(p, family) for p in PACKAGES)
    for name in dir(theirs):
        value = getattr(theirs, name)
        if name[0] == "_" or not isinstance(value, type):
            continue
        assert getattr(ours, name).__name__ == value.__name__
        if name == value.__name__:
            continue
        try:
            made = theirs.get(name)
        except (ValueError, KeyError):
            continue
        assert type(ours.get(name)).__name__ == type(made).__name__


BAD = {
    "activation name": lambda p: p.activations.get("rellu"),
    "activation number": lambda p: p.activations.get(3),
    "serialized number": lambda p: p.activations.serialize(3),
    "softmax axis": lambda p: p.activations.softmax(np.ones((2, 2)), axis=5),
    "text": lambda p: p.activations.relu("a"),
    "L1 negative": lambda p: p.regularizers.L1(-1.0),
    "L2 text": lambda p: p.regularizers.L2("a"),
    "L1L2 infinite": lambda p: p.regularizers.L1L2(l2=float("inf")),
    "orthogonal factor": lambda p: p.regularizers.OrthogonalRegularizer(-1),
    "orthogonal mode": lambda p: p.regularizers.OrthogonalRegularizer(mode="x"),
    "orthogonal rank": lambda p: p.regularizers.OrthogonalRegularizer()(np.ones(3)),
    "regularizer name": lambda p: p.regularizers.get("l3"),
    "regularizer config": lambda p: p.regularizers.Regularizer().get_config(),
    "constraint name": lambda p: p.constraints.get("max"),
    "constraint number": lambda p: p.constraints.get(3),
    "constraint config": lambda p: p.constraints.deserialize({}),
    "norm axis": lambda p: p.constraints.UnitNorm(axis=7)(np.ones((2, 2))),
    "initializer name": lambda p: p.initializers.get("glorot"),
    "initializer config": lambda p: p.initializers.deserialize({}),
    "scale": lambda p: p.initializers.VarianceScaling(scale=0),
    "mode": lambda p: p.initializers.VarianceScaling(mode="fan"),
    "distribution": lambda p: p.initializers.VarianceScaling(distribution="x"),
    "initializer seed": lambda p: p.initializers.HeNormal(seed="a"),
    "initializer dtype": lambda p: p.initializers.HeNormal(1)((2, 2), "int32"),
    "unknown dtype": lambda p: p.initializers.Zeros()((2, 2), "foo"),
    "orthogonal shape": lambda p: p.initializers.Orthogonal()((3,)),
    "identity shape": lambda p: p.initializers.Identity()((3,)),
    "constant's shape": lambda p: p.initializers.Constant([1, 2, 3])((2,)),
    "given shape": lambda p: p.initializers.get(np.ones(3))((2,)),
    "side": lambda p: p.initializers.STFT(side="x"),
    "window": lambda p: p.initializers.STFT(window="x"),
    "scaling": lambda p: p.initializers.STFT(scaling="x"),
    "normal dtype": lambda p: p.random.normal((2,), dtype="int32"),
    "uniform dtype": lambda p: p.random.uniform((2,), dtype="int32"),
    "gamma dtype": lambda p: p.random.gamma((2,), 1.0, dtype="int32"),
    "randint dtype": lambda p: p.random.randint((2,), 0, 5, dtype="float32"),
    "text as seed": lambda p: p.random.normal((2,), seed="a"),
    "float as seed": lambda p: p.random.normal((2,), seed=1.5),
    "float as generator's seed": lambda p: p.random.SeedGenerator(1.5),
    "generator's name": lambda p: p.random.SeedGenerator(1, name=3),
    "generator's argument": lambda p: p.random.SeedGenerator(foo=1),
    "logits' rank": lambda p: p.random.categorical(np.ones(3), 2),
    "noise shape": lambda p: p.random.dropout(np.ones((2, 2)), 0.5, (3, 3), seed=1),
    "integers": lambda p: p.random.dropout(jnp.ones((2, 2), int), 0.5, seed=1),
    "shuffle axis": lambda p: p.random.shuffle(np.ones((2, 2)), axis=5),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_refused_with_kerass_kind_of_error(what):
    (_, theirs), (_, ours) = (outcome(BAD[what], p) for p in PACKAGES)
    assert theirs is not None and ours is not None
    kinds = ((ValueError, TypeError), NotImplementedError)
    expected = next((k for k in kinds if isinstance(theirs, k)), Exception)
    assert isinstance(ours, expected), (theirs, ours)
    assert len(str(ours)) > 20

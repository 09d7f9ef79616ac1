"""Activations, regularizers and constraints against Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras

PACKAGES = (keras, minikeras)
# Kinks and what lies around them.
POINTS = np.array(
    [-7, -3, -1, -0.5, -0.2, 0, 0.1, 0.5, 1, 2, 3, 4, 6, 7], dtype="float32"
)

ACTIVATIONS = [
    *((name, {}) for name in dir(keras.activations) if name[0] != "_"),
    ("celu", {"alpha": 0.5}),
    ("elu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("hard_shrink", {"threshold": 1.0}),
    ("leaky_relu", {"negative_slope": 0.5}),
    ("relu", {"negative_slope": 0.5}),
    ("relu", {"max_value": 2.0}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"threshold": -1.0, "max_value": 2.0}),
    ("relu", {"max_value": 6.0, "negative_slope": 0.5}),
    ("relu", {"threshold": 1.0, "negative_slope": 0.5}),
    ("relu", {"threshold": 1.0, "negative_slope": 0.5, "max_value": 4.0}),
    ("soft_shrink", {"threshold": 1.0}),
    ("squareplus", {"b": 1.0}),
    ("threshold", {"threshold": 1.0, "default_value": 5.0}),
]
# Not functions of one array; sparsemax: see WRONG_VALUES in test_ops_parity.py.
OTHERS = {"get", "serialize", "deserialize", "sparsemax", "threshold"}
ACTIVATIONS = [(n, k) for n, k in ACTIVATIONS if k or n not in OTHERS]


@pytest.mark.parametrize("case", ACTIVATIONS, ids=lambda c: f"{c[0]}-{len(c[1])}")
def test_activations(case):
    """Values and gradients, kinks included."""
    name, arguments = case
    results = []
    for package in PACKAGES:
        function = getattr(package.activations, name)

        def loss(x, function=function):
            y = function(x, **arguments)
            return jnp.sum(y * jnp.arange(1.0, y.size + 1)), y

        results.append(jax.jit(jax.value_and_grad(loss, has_aux=True))(POINTS))
    for theirs, ours in zip(*map(jax.tree_util.tree_leaves, results), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


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


WEIGHTS = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
REGULARIZERS = [
    ("L1", {"l1": 0.25}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {"factor": 0.5}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]
CONSTRAINTS = [
    ("MaxNorm", {"max_value": 1.5}),
    ("MaxNorm", {"max_value": 1.5, "axis": [0, 1]}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.3, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": 1}),
]


@pytest.mark.parametrize("case", REGULARIZERS, ids=lambda c: c[0])
def test_regularizers(case):
    name, arguments = case
    theirs, ours = (getattr(p.regularizers, name)(**arguments) for p in PACKAGES)
    results = [jax.value_and_grad(f)(WEIGHTS) for f in (ours, theirs)]
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    # Keras rounds some factors to float32.
    config, expected = ours.get_config(), theirs.get_config()
    assert config.pop("mode", None) == expected.pop("mode", None)
    assert config == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("case", CONSTRAINTS, ids=lambda c: c[0])
def test_constraints(case):
    name, arguments = case
    theirs, ours = (getattr(p.constraints, name)(**arguments) for p in PACKAGES)
    np.testing.assert_allclose(ours(WEIGHTS), theirs(WEIGHTS), rtol=1e-6, atol=1e-7)
    assert minikeras.constraints.serialize(ours) == keras.constraints.serialize(theirs)


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

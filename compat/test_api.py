"""Every public name of the mathematical modules: there, of one kind, called alike.

Not `optimizers.legacy`: Keras's only raise, ours are the optimizers of today.
"""

import inspect
import os
import types

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import pytest

import minikeras

MODULES = """
    activations backend config constraints dtype_policies initializers losses metrics
    mixed_precision ops ops.image ops.linalg ops.nn ops.numpy optimizers
    optimizers.schedules random regularizers tree
""".split()
TOP = """
    DTypePolicy FloatDTypePolicy Function Initializer KerasTensor Loss Metric Operation
    Optimizer Regularizer RematScope StatelessScope SymbolicScope Variable device
    name_scope remat version
""".split()

# What a class of Keras has by another way, or under another parameter name.
EXCEPTIONS = {
    # Keras's subclasses rename the parameter of the base class's method.
    "build": "every optimizer takes `variables`, as Optimizer does",
    "update_step": "every optimizer takes `gradient`, as Optimizer does",
    # Attributes of the objects, not of the class; the test of objects is below.
    **dict.fromkeys(
        """aggregation constraint name overwrite_with_gradient path regularizer shape
        synchronization thresholds optimizers check_finite""".split(),
        "an attribute of objects",
    ),
}


def resolve(package, path):
    for part in path.split("."):
        package = getattr(package, part)
    return package


def public(module):
    return [
        name
        for name in dir(resolve(keras, module))
        if not name.startswith("_")
        and not isinstance(getattr(resolve(keras, module), name), types.ModuleType)
    ]


NAMES = [f"{module}.{name}" for module in MODULES for name in public(module)] + TOP


def parameters(function):
    """(name, kind, default) of each; None where Python cannot tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        (p.name, p.kind, getattr(p.default, "__name__", repr(p.default))) for p in found
    ]


def is_function(x):
    return inspect.isroutine(x)


@pytest.mark.parametrize("name", NAMES)
def test_name_kind_and_signature(name):
    theirs, ours = resolve(keras, name), resolve(minikeras, name)
    assert inspect.isclass(ours) == inspect.isclass(theirs)
    assert callable(ours) == callable(theirs)
    assert parameters(ours) == parameters(theirs)


CLASSES = [name for name in NAMES if inspect.isclass(resolve(keras, name))]


@pytest.mark.parametrize("name", CLASSES)
def test_methods_and_properties(name):
    theirs, ours = resolve(keras, name), resolve(minikeras, name)
    for member in dir(theirs):
        if member.startswith("_") or member in EXCEPTIONS:
            continue
        a, b = getattr(theirs, member), getattr(ours, member)
        assert is_function(a) == is_function(b), member
        if is_function(a):
            assert parameters(a) == parameters(b), member


def test_attributes_of_objects():
    """Those that the classes of Keras have and ours do not."""
    optimizer = minikeras.optimizers.SGD()
    owners = {
        minikeras.Variable(1.0): "Variable",
        minikeras.metrics.AUC(): "metrics.AUC",
        minikeras.optimizers.LossScaleOptimizer(optimizer): (
            "optimizers.LossScaleOptimizer"
        ),
    }
    for owner, name in owners.items():
        members = [m for m in dir(resolve(keras, name)) if not m.startswith("_")]
        assert [m for m in members if not hasattr(owner, m)] == []

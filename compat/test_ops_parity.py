"""`keras.ops` against Keras: values, gradients, dtypes, and the graphs recorded."""

import collections
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import minikeras
from compat.ops_table import CALLS

PACKAGES = (keras, minikeras)


def ids(calls):
    """Names, numbered where they repeat."""
    seen = collections.Counter()
    for name, *_ in calls:
        seen[name] += 1
        yield f"{name}-{seen[name]}"


def is_array(x):
    return isinstance(x, np.ndarray)


def leaves(tree):
    return jax.tree_util.tree_leaves(tree)


def taken(package, call, arrays):
    """The call with `arrays` in place of the table's."""
    name, args, kwargs = call
    flat, structure = jax.tree_util.tree_flatten((args, kwargs))
    arrays = iter(arrays)
    flat = [next(arrays) if is_array(x) else x for x in flat]
    args, kwargs = jax.tree_util.tree_unflatten(structure, flat)
    return getattr(package.ops, name)(*args, **kwargs)


def inputs(call):
    return [x for x in leaves(call[1:]) if is_array(x)]


def assert_close(ours, theirs):
    ours, theirs = map(np.asarray, (ours, theirs))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    if ours.dtype.kind in "biu":
        np.testing.assert_array_equal(ours, theirs)
        return
    scale = np.max(np.abs(theirs), initial=1e-3, where=np.isfinite(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * scale)


def program(package, call):
    """The call as JAX sees it, constants included; None: it needs values."""
    try:
        traced = jax.make_jaxpr(lambda *xs: leaves(taken(package, call, xs)))
        found = traced(*inputs(call))
    except jax.errors.JAXTypeError:
        return None
    return str(found.jaxpr), [np.asarray(c).tobytes() for c in found.consts]


def gradient(package, call):
    """Under jit, of a sum of the outputs that tells them apart."""
    first, *rest = inputs(call)

    def loss(x):
        out = leaves(taken(package, call, [x, *rest]))
        out = [y for y in out if jnp.issubdtype(y.dtype, jnp.floating)]
        ramps = [jnp.arange(y.size).reshape(y.shape) / y.size - 0.3 for y in out]
        return sum((jnp.sum(r * y) for r, y in zip(ramps, out, strict=True)), 0.0)

    return jax.jit(jax.grad(loss))(jnp.asarray(first))


# Keras 3.15.1 sums running sums here: its results do not sum to 1.
WRONG_VALUES = {"sparsemax"}


@pytest.mark.parametrize("call", CALLS, ids=ids(CALLS))
def test_values_and_gradients(call):
    """Equal programs give equal values and gradients; others are run."""
    if call[0] in WRONG_VALUES:
        pytest.skip("Keras is wrong here")
    programs = [program(p, call) for p in PACKAGES]
    if programs[0] is not None and programs[0] == programs[1]:
        return
    theirs, ours = (leaves(taken(p, call, inputs(call))) for p in PACKAGES)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b)
    if programs[0] is not None and inputs(call)[0].dtype == "float32":
        assert_close(gradient(minikeras, call), gradient(keras, call))


def graph(package, call):
    """Nodes of the model made of the call; its outputs' shapes and dtypes."""
    package.utils.clear_session(free_memory=False)
    tensors = [
        package.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in inputs(call)
    ]
    out = leaves(taken(package, call, tensors))
    layers = package.Model(tensors, out).get_config()["layers"]
    nodes = [node for node in layers if node["class_name"] != "InputLayer"]
    return [plain(json.loads(json.dumps(n))) for n in nodes], [
        (y.shape, y.dtype) for y in out
    ]


def plain(node):
    """Without what only says the default, and with all tensors by position."""
    config = {k: v for k, v in node["config"].items() if v not in (None, False)}
    calls = []
    for call in node["inbound_nodes"]:
        args = [*call["args"], *call["kwargs"].values()]
        while args and args[-1] is None:
            args.pop()
        calls.append(args)
    return {**node, "config": config, "inbound_nodes": calls}


# Calls for which Keras's hand-written shapes differ from what it computes.
WRONG_SPECS = {"polar", "corrcoef", "lu_factor", "multi_hot", "unravel_index"}


@pytest.mark.parametrize("call", CALLS, ids=ids(CALLS))
def test_graphs(call):
    name, arrays, settings = call
    if name == "conv" and arrays[1].shape[-2] != arrays[0].shape[-1]:
        pytest.skip("Keras records no grouped convolution")
    nodes, specs = graph(minikeras, call)
    expected_nodes, expected_specs = graph(keras, call)
    if name.endswith("_hot"):  # Keras writes the default dtype out
        expected_nodes[0]["config"].pop("dtype")
        nodes[0]["config"].pop("dtype", None)
    assert nodes == expected_nodes
    if name not in WRONG_SPECS and settings != {"from_logits": True, "axis": 0}:
        assert specs == expected_specs

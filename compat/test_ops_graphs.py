"""Graphs that `keras.ops` records, against Keras's: nodes, configs, shapes."""

import collections
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import pytest

import minikeras
from compat import draw
from compat.ops_calls import is_array, leaves, taken
from compat.ops_cases import DRAWS, generated
from compat.ops_table import CALLS


def ids(calls):
    """Names, numbered where they repeat."""
    seen = collections.Counter()
    for name, *_ in calls:
        seen[name] += 1
        yield f"{name}-{seen[name]}"


def inputs(call):
    return [x for x in leaves(call[1:]) if is_array(x)]


def graph(package, call):
    """Nodes of the model made of the call; its outputs' shapes and dtypes."""
    package.utils.clear_session(free_memory=False)
    tensors = [
        package.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in inputs(call)
    ]
    out = leaves(taken(package, *call, tensors))
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


def model_of(package, name, arguments, arrays):
    """The call on Inputs as a model."""
    package.utils.clear_session(free_memory=False)
    tensors = [package.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in arrays]
    return package.Model(tensors, leaves(taken(package, name, *arguments, tensors)))


def through_a_file(writer, reader, name, arguments, arrays):
    """What the model that `reader` makes of `writer`'s JSON computes."""
    text = model_of(writer, name, arguments, arrays).to_json()
    return leaves(reader.models.model_from_json(text)(arrays))


# No defined values; an int here, which Keras records; wrong in Keras.
UNEQUAL = {"empty_like", "ndim", "sparsemax"}


@pytest.mark.parametrize(("name", "seed"), draw.cases(DRAWS, 4, fast=0))
def test_graph_files(name, seed):
    """Files that Keras can exchange with itself are exchanged both ways."""
    arguments = generated(name, seed)
    arrays = [x for x in leaves(arguments) if is_array(x)]
    if not arrays or any(x.size == 0 for x in arrays) or name in UNEQUAL:
        pytest.skip("nothing to compare")
    call = (name, arguments, arrays)
    expected, refused = draw.outcome(through_a_file, keras, keras, *call)
    if refused is not None:
        pytest.skip(f"Keras cannot read its own file: {str(refused)[-80:]}")
    for writer, reader in ((keras, minikeras), (minikeras, keras)):
        found = through_a_file(writer, reader, *call)
        for a, b in zip(found, expected, strict=True):
            draw.assert_close(a, b, 10, least=1.0)

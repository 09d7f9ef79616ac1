"""Graphs as configs: write one, and rebuild the graph from it."""

from collections import deque

import jax

from minikeras.core import registry, tree
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.serialization import (
    deserialize_keras_object,
    is_config,
    serialize_keras_object,
)
from minikeras.layers.core.input_layer import InputLayer
from minikeras.models.graph import node_of
from minikeras.saving.upgrades import upgrade_layers


def graph_config(model) -> dict:
    """The graph of a Functional model as a JSON-ready dict.

    It has the name, the layers with their recorded calls, and references to the inputs
    and outputs. A reference is [layer name, number of the call, number of the output].
    In those to outputs, as in Keras, the own graph of a model in it is its call 0.
    """
    numbers = model._mk_graph.node_numbers()

    def history(tensor):
        operation, _, index = tensor._keras_history
        return [operation.name, numbers[node_of(tensor)], index]

    def end(tensor):
        name, number, index = history(tensor)
        return [name, number + _is_graph(tensor._keras_history[0]), index]

    layers = []
    for operation in model._mk_graph.operations:
        config = serialize_keras_object(operation)
        config["name"] = operation.name
        config["inbound_nodes"] = [
            _node_config(node, history)
            for node in operation._mk_inbound_nodes
            if node in numbers and not node.is_input
        ]
        layers.append(config)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        # In the user's order of keys, which JAX would sort.
        "input_layers": tree.map_structure(end, model._mk_inputs),
        "output_layers": tree.map_structure(end, model._mk_outputs),
    }


def _is_graph(operation):
    """Is it a Functional model?"""
    return hasattr(operation, "_mk_graph")


def _node_config(node, history):
    """The arguments of one call; `history` gives the references of KerasTensors."""

    def convert(tree):
        if isinstance(tree, KerasTensor):
            config = serialize_keras_object(tree)
            config["config"]["keras_history"] = history(tree)
            return config
        if isinstance(tree, (list, tuple)):
            return [convert(x) for x in tree]
        if isinstance(tree, dict):
            return {key: convert(x) for key, x in tree.items()}
        return serialize_keras_object(tree)

    return {
        "args": [convert(x) for x in node.args],
        "kwargs": {key: convert(x) for key, x in node.kwargs.items()},
    }


def rebuild(config):
    """Create the graph that a config describes.

    All layers are created first. Then each call is repeated as soon as its inputs
    exist and the layer's earlier calls are made.

    Returns:
        (inputs, outputs), KerasTensors in the nesting of the config.

    Raises:
        ValueError: calls that wait for each other, or a reference to a missing layer.
    """
    config = upgrade_layers("Functional", config)
    family = registry.family("layers")
    # Names are the config's: a layer whose `__init__` drops its name has another one.
    # tensors: {(layer name, number of its call, number of the output): KerasTensor}
    # calls_of_graphs: {name of a Functional model: number of its calls}
    names, pending, tensors, calls_of_graphs = set(), [], {}, {}
    for entry in config["layers"]:
        layer = deserialize_keras_object(entry, family=family)
        if "name" not in entry["config"]:  # Keras's ExtractPatches omits it
            layer.name = entry.get("name", layer.name)
        name = entry.get("name", layer.name)
        names.add(name)
        pending.append((layer, name, deque(enumerate(entry["inbound_nodes"]))))
        if isinstance(layer, InputLayer):
            tensors[(name, 0, 0)] = layer.output
        if _is_graph(layer):
            calls_of_graphs[name] = len(entry["inbound_nodes"])
    for _, _, calls in pending:
        for name, *_ in _histories(list(calls)):
            if name not in names:
                raise ValueError(
                    f"Missing node: {name}. The config has {sorted(names)}."
                )
    # A layer that is called twice may be listed before its inputs: try again until a
    # round makes no call.
    while pending := [x for x in pending if x[2]]:
        if not sum([_repeat_calls(*x, tensors) for x in pending]):
            raise ValueError(
                "The graph cannot be rebuilt: the calls of "
                f"{sorted(name for _, name, _ in pending)} form a loop."
            )
    return (
        _look_up(config["input_layers"], tensors, calls_of_graphs),
        _look_up(config["output_layers"], tensors, calls_of_graphs),
    )


def _repeat_calls(layer, name, calls, tensors):
    """Repeat a layer's calls in their order, as far as their inputs exist.

    Args:
        layer: the layer.
        name: its name in the config.
        calls: deque of (number of the call, its config); those made are taken out.
        tensors: the KerasTensors of the graph so far; the outputs are put in.

    Returns:
        How many calls were made.
    """
    before = len(calls)
    while calls and all(history in tensors for history in _histories(calls[0][1])):
        number, node = calls.popleft()
        outputs = layer(
            *[_argument(x, tensors) for x in node["args"]],
            **{key: _argument(x, tensors) for key, x in node["kwargs"].items()},
        )
        for i, x in enumerate(jax.tree_util.tree_leaves(outputs)):
            tensors[(name, number, i)] = x
    return before - len(calls)


def _is_tensor_config(x):
    return isinstance(x, dict) and x.get("class_name") == "__keras_tensor__"


def _histories(config):
    """References (layer name, call, output) of all KerasTensors in a config."""
    if _is_tensor_config(config):
        return [tuple(config["config"]["keras_history"])]
    if isinstance(config, dict):
        return [h for x in config.values() for h in _histories(x)]
    if isinstance(config, (list, tuple)):
        return [h for x in config for h in _histories(x)]
    return []


def _argument(config, tensors):
    """An argument of a call, with KerasTensors and objects in place of configs."""
    if _is_tensor_config(config):
        return tensors[tuple(config["config"]["keras_history"])]
    if is_config(config):
        return deserialize_keras_object(config)
    if isinstance(config, dict):
        return {key: _argument(x, tensors) for key, x in config.items()}
    if isinstance(config, (list, tuple)):
        return [_argument(x, tensors) for x in config]
    return config


def _look_up(config, tensors, calls_of_graphs):
    """Replace references `["name", 0, 0]` in a tree by their KerasTensors."""
    if isinstance(config, dict):
        items = config.items()
        return {key: _look_up(x, tensors, calls_of_graphs) for key, x in items}
    if len(config) == 3 and isinstance(config[0], str):
        name, number, index = config
        if name in calls_of_graphs:  # 0 is the last call for Keras
            number = (number or calls_of_graphs[name]) - 1
        key = (name, number, index)
        if key not in tensors:
            raise ValueError(
                f"The graph cannot be rebuilt: no layer gives {list(config)}."
            )
        return tensors[key]
    return type(config)(_look_up(x, tensors, calls_of_graphs) for x in config)

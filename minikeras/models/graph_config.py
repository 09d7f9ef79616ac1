"""A graph as a JSON-ready dict, and back."""

import jax

from minikeras.core import registry
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.layers.core.input_layer import InputLayer
from minikeras.models.graph import node_of


def graph_config(model) -> dict:
    """Name, layers with the calls that led to them, inputs and outputs."""
    numbers = model._mk_graph.node_numbers()

    def history(tensor):
        operation, _, index = tensor._keras_history
        return [operation.name, numbers[node_of(tensor)], index]

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
        "input_layers": jax.tree_util.tree_map(history, model._mk_inputs),
        "output_layers": jax.tree_util.tree_map(history, model._mk_outputs),
    }


def _node_config(node, history):
    def one(tree):
        if isinstance(tree, KerasTensor):
            config = serialize_keras_object(tree)
            config["config"]["keras_history"] = history(tree)
            return config
        if isinstance(tree, (list, tuple)):
            return [one(x) for x in tree]
        if isinstance(tree, dict):
            return {key: one(x) for key, x in tree.items()}
        return serialize_keras_object(tree)

    return {
        "args": [one(x) for x in node.args],
        "kwargs": {key: one(x) for key, x in node.kwargs.items()},
    }


def rebuild(config):
    """(inputs, outputs) of the graph that a config describes.

    Layers are made first; then every call whose inputs exist is repeated, until none
    is left.

    Raises:
        ValueError: calls that wait for each other, or for what no layer gives.
    """
    family = registry.family("layers")
    pending, tensors, counts = [], {}, {}
    for entry in config["layers"]:
        layer = deserialize_keras_object(entry, family=family)
        if "name" not in entry["config"]:  # Keras's ExtractPatches leaves it out
            layer.name = entry.get("name", layer.name)
        pending += [(layer, node) for node in entry["inbound_nodes"]]
        if isinstance(layer, InputLayer):
            tensors[(layer.name, 0, 0)] = layer.output
    made = {
        entry["config"].get("name", entry.get("name")) for entry in config["layers"]
    }
    for _, node in pending:
        for name, *_ in _histories(_from_keras_2(node) if _is_old(node) else node):
            if name not in made:
                raise ValueError(
                    f"Missing node: {name}. The config has {sorted(made)}."
                )
    while pending:
        waiting = [x for x in pending if not _repeat_call(*x, tensors, counts)]
        if len(waiting) == len(pending):
            raise ValueError(
                "The graph cannot be rebuilt: the calls of "
                f"{sorted({layer.name for layer, _ in waiting})} form a loop."
            )
        pending = waiting
    return (
        _tensors_of(config["input_layers"], tensors),
        _tensors_of(config["output_layers"], tensors),
    )


def _repeat_call(layer, node, tensors, counts):
    """Call `layer` as the node says; False while an input of it is missing."""
    if _is_old(node):
        node = _from_keras_2(node)
    if any(history not in tensors for history in _histories(node)):
        return False
    outputs = layer(
        *[_argument(x, tensors) for x in node["args"]],
        **{key: _argument(x, tensors) for key, x in node["kwargs"].items()},
    )
    number = counts.get(id(layer), 0)
    counts[id(layer)] = number + 1
    for i, x in enumerate(jax.tree_util.tree_leaves(outputs)):
        tensors[(layer.name, number, i)] = x
    return True


def _is_old(node):
    return isinstance(node, list)


def _from_keras_2(node):
    """`[["layer", 0, 0, {kwargs}], …]` -> {"args", "kwargs"}."""

    def tensor(entry):
        history = list(entry[:3])
        config = {"shape": [], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}

    tensors = [tensor(entry) for entry in node]
    kwargs = next((e[3] for e in node if len(e) > 3 and e[3]), {})
    return {"args": [tensors] if len(tensors) > 1 else tensors, "kwargs": kwargs}


def _is_tensor(x):
    return isinstance(x, dict) and x.get("class_name") == "__keras_tensor__"


def _histories(config):
    if _is_tensor(config):
        return [tuple(config["config"]["keras_history"])]
    if isinstance(config, dict):
        return [h for x in config.values() for h in _histories(x)]
    if isinstance(config, (list, tuple)):
        return [h for x in config for h in _histories(x)]
    return []


def _argument(config, tensors):
    if _is_tensor(config):
        return tensors[tuple(config["config"]["keras_history"])]
    if isinstance(config, dict) and "class_name" in config:
        return deserialize_keras_object(config)
    if isinstance(config, dict):
        return {key: _argument(x, tensors) for key, x in config.items()}
    if isinstance(config, (list, tuple)):
        return [_argument(x, tensors) for x in config]
    return config


def _tensors_of(config, tensors):
    """`["name", 0, 0]`, or lists, tuples and dicts of it -> KerasTensors."""
    if isinstance(config, dict):
        return {key: _tensors_of(x, tensors) for key, x in config.items()}
    if len(config) == 3 and isinstance(config[0], str):
        key = tuple(config)
        if key not in tensors:
            raise ValueError(
                f"The graph cannot be rebuilt: no layer gives {list(config)}."
            )
        return tensors[key]
    return type(config)(_tensors_of(x, tensors) for x in config)

"""The part of the recorded graph between some KerasTensors and others."""

import collections
import contextlib
from typing import Any

import jax

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import Node
from minikeras.layers.core.input_layer import Input, InputLayer
from minikeras.layers.tracking import StateTracking


class Graph:
    """Nodes in the order to run them, and operations in the order to list them.

    The depth of an operation is the length of its longest path to an output. Deeper
    operations come first. Operations of equal depth are in the order in which a search
    from the outputs visits them.

    Attributes:
        nodes: every node between inputs and outputs, with the nodes of the inputs.
        operations: the operations of the nodes, each once.
    """

    def __init__(self, inputs, outputs):
        input_ids = {id(x) for x in inputs}
        ordered, visits = _topological_order(outputs, input_ids)
        nodes = dict.fromkeys(ordered)
        for x in inputs:  # also the inputs that no output depends on
            if is_recorded(x):
                node = node_of(x)
                nodes.setdefault(node)
                visits.setdefault(node.operation, len(visits))
        depths = _depths(list(nodes), input_ids)
        depth_of = collections.defaultdict(int)
        for node, depth in depths.items():
            depth_of[node.operation] = max(depth_of[node.operation], depth)
        self.nodes = sorted(depths, key=lambda node: -depths[node])
        # The order of `model.layers` in Keras, and so of `model.weights`.
        self.operations = sorted(depth_of, key=lambda op: (-depth_of[op], visits[op]))

    def run(self, values, training=None):
        """Run every node and add its outputs to `values`.

        Args:
            values: dict {id(KerasTensor): array}, which holds the inputs.
            training: bool for calls that were recorded with `training`; None keeps
                those recorded values.
        """
        for node in self.nodes:
            if id(node.output_tensors[0]) in values:
                continue
            args = substitute(node.args, values)
            kwargs = node.kwargs and substitute(node.kwargs, values)
            if training is not None and "training" in kwargs:
                kwargs["training"] = training
            with _scope_of(node.operation):
                outputs = jax.tree_util.tree_leaves(node.operation(*args, **kwargs))
            for tensor, x in zip(node.output_tensors, outputs, strict=True):
                values[id(tensor)] = x

    def node_numbers(self):
        """{node: its number among the nodes of its operation in this graph}"""
        numbers, counts = {}, collections.Counter()
        inside = set(self.nodes)
        for operation in self.operations:
            for node in operation._mk_inbound_nodes:
                if node in inside:
                    numbers[node] = counts[operation]
                    counts[operation] += 1
        return numbers


class DisconnectedError(ValueError):
    """An output does not depend on the inputs alone."""


def _scope_of(operation):
    """A name for recorded ops in traces and profiles; layers name themselves."""
    is_layer = isinstance(operation, StateTracking)
    return contextlib.nullcontext() if is_layer else jax.named_scope(operation.name)


def is_recorded(tensor) -> bool:
    """Was the tensor made by an operation?"""
    return hasattr(tensor, "_keras_history")


def node_of(tensor) -> Node:
    """The node (recorded call) that made a KerasTensor."""
    operation, number, _ = tensor._keras_history
    return operation._mk_inbound_nodes[number]


def _topological_order(outputs, input_ids):
    """Search depth first from the outputs.

    Returns:
        (nodes, each after the nodes it depends on; {operation: order of first visit}).
    """
    ordered, finished, visits, started = [], set(), {}, set()
    # An explicit stack: graphs may be deeper than Python's limit of 1,000 calls.
    stack = [(x, False) for x in reversed(outputs)]
    while stack:
        tensor, is_exit = stack.pop()
        if not is_recorded(tensor):
            if id(tensor) in input_ids:
                continue
            raise DisconnectedError(
                f"{tensor!r} was not made by a layer or op from an `Input`."
            )
        node = node_of(tensor)
        if is_exit:
            if node not in finished:
                finished.add(node)
                ordered.append(node)
            continue
        if node in finished or node in started:
            continue
        visits.setdefault(node.operation, len(visits))
        started.add(node)
        stack.append((tensor, True))
        if id(tensor) in input_ids:
            continue
        if node.is_input:
            raise DisconnectedError(
                f"it depends on {node.operation.name!r}, which is not among them."
            )
        stack.extend((x, False) for x in reversed(node.input_tensors))
    return ordered, visits


def _depths(nodes, input_ids):
    """{node: longest path to an output}; nodes of one operation share the longest."""
    depths, operation_depths = {}, {}
    for node in reversed(nodes):
        depth = max(depths.get(node, 0), operation_depths.get(node.operation, 0))
        operation_depths[node.operation] = depths[node] = depth
        if any(id(x) in input_ids for x in node.output_tensors):
            continue
        for x in node.input_tensors:
            if is_recorded(x):
                parent = node_of(x)
                depths[parent] = max(depth + 1, depths.get(parent, 0))
    return depths


def clone_subgraph(inputs, outputs):
    """Record the nodes from `inputs` to `outputs` again, from new inputs.

    A model that starts in the middle of a graph needs this.

    Returns:
        (new inputs, new outputs), as flat lists.
    """
    clones = {id(x): input_like(x) for x in inputs}
    for node in Graph(inputs, outputs).nodes:
        if any(id(x) in clones for x in node.output_tensors):
            continue
        args, kwargs = substitute((node.args, node.kwargs), clones)
        new = [tensor_like(x) for x in node.output_tensors]
        clones |= {id(x): c for x, c in zip(node.output_tensors, new, strict=True)}
        Node(node.operation, args, kwargs, new)
    return [clones[id(x)] for x in inputs], [clones[id(x)] for x in outputs]


def is_input(tensor) -> bool:
    """Was it made by `keras.Input`?"""
    return is_recorded(tensor) and isinstance(tensor._keras_history[0], InputLayer)


def input_like(tensor, sparse=None):
    """A new `keras.Input` of the same shape and dtype; Keras names it so."""
    name = f"{tensor.name}CLONE"
    dtype, shape = tensor.dtype, tensor.shape
    return Input(batch_shape=shape, dtype=dtype, sparse=sparse, name=name)


def tensor_like(tensor) -> KerasTensor:
    """A new KerasTensor of the same shape, dtype and sparsity."""
    return KerasTensor(tensor.shape, tensor.dtype, sparse=tensor.sparse)


def substitute(tree, values) -> Any:
    """Replace each KerasTensor in a tree by `values[id(tensor)]`, if there is one."""
    if isinstance(tree, KerasTensor):
        return values.get(id(tree), tree)
    if isinstance(tree, (list, tuple)):
        items = [substitute(x, values) for x in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if isinstance(tree, dict):
        return {key: substitute(x, values) for key, x in tree.items()}
    return tree

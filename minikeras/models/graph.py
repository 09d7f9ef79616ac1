"""The part of the recorded graph that leads from some tensors to others."""

import collections
from typing import Any

import jax

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import Node


class Graph:
    """Nodes in the order to run them, and operations in the order to show them.

    An operation's depth is its longest way to an output; deeper ones come first,
    and those of one depth in the order in which a walk from the outputs meets them.

    Attributes:
        nodes: every node between inputs and outputs, inputs' own nodes included.
        operations: the operations of the nodes, each once.
    """

    def __init__(self, inputs, outputs):
        stop = {id(x) for x in inputs}
        finished, met = _walk(outputs, stop)
        nodes = dict.fromkeys(finished)
        for x in inputs:  # an input that no output depends on is an input still
            if is_recorded(x):
                node = node_of(x)
                nodes.setdefault(node)
                met.setdefault(node.operation, len(met))
        depths = _depths(list(nodes), stop)
        order = collections.defaultdict(int)
        for node, depth in depths.items():
            order[node.operation] = max(order[node.operation], depth)
        self.operations = sorted(order, key=lambda op: (-order[op], met[op]))
        self.nodes = sorted(depths, key=lambda node: -depths[node])

    def run(self, values, training=None):
        """Run every node; fill `values`, {id(KerasTensor): array}, with its outputs."""
        for node in self.nodes:
            if id(node.output_tensors[0]) in values:
                continue
            args = fill(node.args, values)
            kwargs = node.kwargs and fill(node.kwargs, values)
            if training is not None and "training" in kwargs:
                kwargs["training"] = training
            outputs = jax.tree_util.tree_leaves(node.operation(*args, **kwargs))
            for tensor, x in zip(node.output_tensors, outputs, strict=True):
                values[id(tensor)] = x

    def node_numbers(self):
        """{node: its number among those of its operation in this graph}."""
        numbers, counts = {}, collections.Counter()
        inside = set(self.nodes)
        for operation in self.operations:
            for node in operation._mk_inbound_nodes:
                if node in inside:
                    numbers[node] = counts[operation]
                    counts[operation] += 1
        return numbers


class Disconnected(ValueError):
    """An output that the inputs do not lead to."""


def is_recorded(tensor) -> bool:
    """Was it made by an operation?"""
    return hasattr(tensor, "_keras_history")


def node_of(tensor) -> Node:
    """The call that made a KerasTensor."""
    operation, number, _ = tensor._keras_history
    return operation._mk_inbound_nodes[number]


def _walk(outputs, stop):
    """Depth first from the outputs: (nodes after those they need, operations met)."""
    finished, done, met, open_nodes = [], set(), {}, set()
    todo = [(x, False) for x in reversed(outputs)]
    while todo:
        tensor, leaving = todo.pop()
        if not is_recorded(tensor):
            if id(tensor) in stop:
                continue
            raise Disconnected(
                f"{tensor!r} was not made by a layer or op from an `Input`."
            )
        node = node_of(tensor)
        if leaving:
            if node not in done:
                done.add(node)
                finished.append(node)
            continue
        if node in done or node in open_nodes:
            continue
        met.setdefault(node.operation, len(met))
        open_nodes.add(node)
        todo.append((tensor, True))
        if id(tensor) in stop:
            continue
        if node.is_input:
            raise Disconnected(
                f"it depends on {node.operation.name!r}, which is not among them."
            )
        todo.extend((x, False) for x in reversed(node.input_tensors))
    return finished, met


def _depths(nodes, stop):
    """{node: longest way to an output}, all nodes of an operation counted together."""
    depths, of_operation = {}, {}
    for node in reversed(nodes):
        depth = max(depths.get(node, 0), of_operation.get(node.operation, 0))
        of_operation[node.operation] = depths[node] = depth
        if any(id(x) in stop for x in node.output_tensors):
            continue
        for x in node.input_tensors:
            if is_recorded(x):
                before = node_of(x)
                depths[before] = max(depth + 1, depths.get(before, 0))
    return depths


def clone_between(inputs, outputs, make_input):
    """Record the nodes from `inputs` to `outputs` again, from fresh inputs.

    For models that begin in the middle of a graph. `make_input(tensor)` gives the
    KerasTensor that takes its place.

    Returns:
        (fresh inputs, outputs), as flat lists.
    """
    fresh = {id(x): make_input(x) for x in inputs}

    def swap(tree):
        return fill(tree, fresh)

    for node in Graph(inputs, outputs).nodes:
        if any(id(x) in fresh for x in node.output_tensors):
            continue
        copies = [_copy(x) for x in node.output_tensors]
        fresh |= {id(x): c for x, c in zip(node.output_tensors, copies, strict=True)}
        Node(node.operation, swap(node.args), swap(node.kwargs), copies)
    return [fresh[id(x)] for x in inputs], [fresh[id(x)] for x in outputs]


def _copy(tensor):
    return KerasTensor(tensor.shape, tensor.dtype, sparse=tensor.sparse)


def fill(tree, values) -> Any:
    """The tree with each KerasTensor replaced by `values[id(tensor)]`."""
    if isinstance(tree, KerasTensor):
        return values.get(id(tree), tree)
    if isinstance(tree, (list, tuple)):
        items = [fill(x, values) for x in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    if isinstance(tree, dict):
        return {key: fill(x, values) for key, x in tree.items()}
    return tree

"""Diagrams of models, as data: boxes for layers, arrows between them."""

import html
from typing import NamedTuple

import jax

from minikeras.layers.core.input_layer import InputLayer
from minikeras.models.functional import Functional
from minikeras.models.graph import node_of
from minikeras.models.sequential import Sequential

# Of cells with white letters.
COLOURS = {"title": "black", "trainable": "forestgreen", "frozen": "firebrick"}


class Diagram(NamedTuple):
    """A diagram of a model, or of a nested model within another diagram.

    Args:
        name: name of the model.
        parts: boxes (key, what stands in the box), and diagrams of nested models.
        edges: pairs (from, to) of keys.
    """

    name: str
    parts: list
    edges: list


class Style(NamedTuple):
    """Which rows and cells the boxes have."""

    shapes: bool = False
    dtype: bool = False
    names: bool = True
    activations: bool = False
    trainable: bool = False

    @property
    def columns(self):
        """Number of cells in the last row of a box."""
        return max(1, 2 * self.shapes + self.dtype + self.trainable)


class Cell(NamedTuple):
    """A cell of a box.

    Args:
        kind: "title", "activation", "value", "trainable" or "frozen".
        text: str, what is written before the value.
        value: str, written in bold letters.
    """

    kind: str
    text: str
    value: str


def diagram_of(model, style, expand_nested=False, content=None):
    """The `Diagram` of a model.

    Args:
        model: a built model.
        style: `Style` of the boxes.
        expand_nested: bool, whether nested models are diagrams, too.
        content: function of (layer, style) that gives what stands in its box; None:
            `label`.
    """
    content = content or label

    def part(layer):
        if expand_nested and isinstance(layer, (Functional, Sequential)):
            return diagram_of(layer, style, expand_nested, content)
        return str(id(layer)), content(layer, style)

    if isinstance(model, Functional):
        layers, pairs = model.operations, _calls(model)
    elif isinstance(model, Sequential):
        layers = model.layers
        pairs = [((a, 0), (b, 0)) for a, b in zip(layers, layers[1:], strict=False)]
    else:
        layers, pairs = [model], []
    if expand_nested and pairs:
        pairs = [
            (_nested_endpoint(a, "out"), _nested_endpoint(b, "in")) for a, b in pairs
        ]
    edges = [(str(id(a)), str(id(b))) for (a, _), (b, _) in pairs]
    return Diagram(model.name, [part(x) for x in layers], list(dict.fromkeys(edges)))


def _calls(model):
    """Pairs ((operation, number of its output), (operation, number of its input))."""
    graph_nodes = set(model._mk_graph.nodes)
    return [
        ((tensor._keras_history[0], tensor._keras_history[2]), (operation, i))
        for operation in model.operations
        for node in operation._mk_inbound_nodes
        if node in graph_nodes
        for i, tensor in enumerate(node.input_tensors)
        if node_of(tensor) in graph_nodes
    ]


def _nested_endpoint(end, side):
    """The layer in which an edge ends if it points at a nested model."""
    layer, number = end
    if isinstance(layer, Functional):
        tensors = layer.outputs if side == "out" else layer.inputs
        history = tensors[min(number, len(tensors) - 1)]._keras_history
        return _nested_endpoint((history[0], history[2]), side)
    if isinstance(layer, Sequential) and layer.layers:
        return _nested_endpoint((layer.layers[-1 if side == "out" else 0], 0), side)
    return end


def rows_of(layer, style):
    """The rows of a layer's box, lists of `Cell`s."""
    kind = getattr(layer, "class_name", type(layer).__name__)
    name = layer.name if style.names else ""
    rows = [[Cell("title", str(kind), str(name))]]
    if style.activations and hasattr(layer, "activation"):
        rows.append([Cell("activation", "Activation", _activation_name(layer))])
    cells = []
    if style.shapes and not isinstance(layer, InputLayer):
        cells.append(_tensor_cell("Input shape", layer, "input", "shape"))
    if style.shapes:
        cells.append(_tensor_cell("Output shape", layer, "output", "shape"))
    if style.dtype:
        cells.append(_tensor_cell("Output dtype", layer, "output", "dtype"))
    if style.trainable and getattr(layer, "weights", None):
        state = ("trainable", "Trainable"), ("frozen", "Non-trainable")
        kind, word = state[0 if layer.trainable else 1]
        cells.append(Cell(kind, "", word))
    return [*rows, cells] if cells else rows


def label(layer, style):
    """The table in a layer's box, in Graphviz's HTML."""
    rows = (
        "".join(_as_html(cell, style.columns) for cell in row)
        for row in rows_of(layer, style)
    )
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    style = 'border="0" cellborder="1" bgcolor="black" cellpadding="10"'
    return f"<<table {style}>{table}</table>>"


def _as_html(cell, columns):
    text, value = _escape(cell.text), f"<b>{_escape(cell.value)}</b>"
    span = f' colspan="{columns}"' if cell.kind in ("title", "activation") else ""
    if cell.kind in ("value", "activation"):
        text = f'<font point-size="14">{text}: {value}</font>'
        return f'<td bgcolor="white"{span}>{text}</td>'
    size = 14
    if cell.kind == "title":
        size, value = 16, f"{value} ({text})" if cell.value else f"<b>{text}</b>"
    text = f'<font point-size="{size}" color="white">{value}</font>'
    return f'<td{span} bgcolor="{COLOURS[cell.kind]}">{text}</td>'


def _escape(value):
    # Graphviz would read the name "<lambda>" as an unknown tag.
    return html.escape(str(value), quote=False)


def _activation_name(layer):
    activation = layer.activation
    if activation is None:
        return "linear"
    return getattr(activation, "__name__", type(activation).__name__)


def _tensor_cell(text, layer, side, attribute):
    """The attribute of the tensor(s) of the layer's first call; "?" without a call."""
    try:
        tensors = jax.tree_util.tree_leaves(getattr(layer, side))
    except AttributeError:
        return Cell("value", text, "?")
    values = [getattr(x, attribute) for x in tensors]
    return Cell("value", text, str(values[0] if len(values) == 1 else values))

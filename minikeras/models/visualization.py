"""Diagrams of models: boxes for layers, arrows for the tensors between them."""

import html
import os
import sys
from typing import NamedTuple

import jax

from minikeras.core.late_import import late_import
from minikeras.layers.core.input_layer import InputLayer
from minikeras.models.functional import Functional
from minikeras.models.graph import node_of
from minikeras.models.sequential import Sequential


class Diagram(NamedTuple):
    """A diagram of a model, or of a nested model within another diagram.

    Args:
        name: name of the model.
        parts: boxes (key, label), and diagrams of nested models.
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


def diagram_of(model, style, expand_nested=False):
    """The `Diagram` of a model."""

    def part(layer):
        if expand_nested and isinstance(layer, (Functional, Sequential)):
            return diagram_of(layer, style, expand_nested)
        return str(id(layer)), label(layer, style)

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


def label(layer, style):
    """The table in a layer's box, in Graphviz's HTML."""
    kind = getattr(layer, "class_name", type(layer).__name__)
    title = f"<b>{_escape(kind)}</b>"
    if style.names:
        title = f"<b>{_escape(layer.name)}</b> ({_escape(kind)})"
    span = style.columns
    table = _row(
        f'<td colspan="{span}" bgcolor="black">'
        f'<font point-size="16" color="white">{title}</font></td>'
    )
    if style.activations and hasattr(layer, "activation"):
        cell = _cell("Activation", _activation_name(layer), f' colspan="{span}"')
        table += _row(cell)
    cells = []
    if style.shapes and not isinstance(layer, InputLayer):
        cells.append(_cell("Input shape", _tensor_values(layer, "input", "shape")))
    if style.shapes:
        cells.append(_cell("Output shape", _tensor_values(layer, "output", "shape")))
    if style.dtype:
        cells.append(_cell("Output dtype", _tensor_values(layer, "output", "dtype")))
    if style.trainable and getattr(layer, "weights", None):
        colour = "forestgreen" if layer.trainable else "firebrick"
        word = "Trainable" if layer.trainable else "Non-trainable"
        cells.append(
            f'<td bgcolor="{colour}">'
            f'<font point-size="14" color="white"><b>{word}</b></font></td>'
        )
    table += _row("".join(cells)) if cells else ""
    style = 'border="0" cellborder="1" bgcolor="black" cellpadding="10"'
    return f"<<table {style}>{table}</table>>"


def _row(cells):
    return f"<tr>{cells}</tr>"


def _cell(label, value, more=""):
    text = f"{label}: <b>{_escape(value)}</b>"
    return f'<td bgcolor="white"{more}><font point-size="14">{text}</font></td>'


def _escape(value):
    # Graphviz would read the name "<lambda>" as an unknown tag.
    return html.escape(str(value), quote=False)


def _activation_name(layer):
    activation = layer.activation
    if activation is None:
        return "linear"
    return getattr(activation, "__name__", type(activation).__name__)


def _tensor_values(layer, side, attribute):
    """The attribute of the tensor(s) of the layer's first call; "?" without a call."""
    try:
        tensors = jax.tree_util.tree_leaves(getattr(layer, side))
    except AttributeError:
        return "?"
    values = [getattr(x, attribute) for x in tensors]
    return values[0] if len(values) == 1 else values


def model_to_dot(
    model,
    show_shapes=False,
    show_dtype=False,
    show_layer_names=True,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    subgraph=False,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """Draw a model as a graph of `pydot`.

    Args:
        model: a built model.
        show_shapes: bool, whether to show the input and output shapes.
        show_dtype: bool, whether to show the output dtypes.
        show_layer_names: bool, whether to show the names of the layers.
        rankdir: `"TB"` draws from top to bottom, `"LR"` from left to right.
        expand_nested: bool, whether to draw the layers of nested models in a frame.
        dpi: int, dots per inch.
        subgraph: bool, whether to return a frame to put into another graph.
        show_layer_activations: bool, whether to show the names of the activations.
        show_trainable: bool, whether to show which layers are trainable.
        splines: str, how Graphviz bends the arrows: `"ortho"`, `"curved"`,
            `"polyline"`, …
        **kwargs: must be empty.

    Returns:
        `pydot.Dot`, or `pydot.Cluster` with `subgraph`.

    Raises:
        ImportError: pydot is not installed.
        ValueError: the model is not built, or an unknown argument.
    """
    pydot = _pydot("model_to_dot")
    _reject_unknown(kwargs)
    if not model.built:
        raise ValueError(
            f"{model.name!r} has not yet been built: its layers are not known. Call it "
            "on a batch of data or call `build()` first."
        )
    style = Style(
        shapes=show_shapes,
        dtype=show_dtype,
        names=show_layer_names,
        activations=show_layer_activations,
        trainable=show_trainable,
    )
    diagram = diagram_of(model, style, expand_nested)
    if subgraph:
        return _cluster(pydot, diagram)
    dot = pydot.Dot()
    dot.set("rankdir", rankdir)
    dot.set("concentrate", True)
    dot.set("dpi", dpi)
    dot.set("splines", splines)
    dot.set_node_defaults(shape="record")
    return _add_parts(pydot, dot, diagram)


def _reject_unknown(kwargs):
    if kwargs:
        raise ValueError(
            f"Unrecognized keyword arguments: {kwargs}. (`layer_range` is no longer "
            "supported.)"
        )


def _pydot(caller):
    """The module pydot, imported when it is first needed."""
    try:
        return late_import("pydot")
    except ImportError:
        raise ImportError(
            f"{caller} draws with pydot: install it with `pip install pydot`."
        ) from None


def _cluster(pydot, diagram):
    """The diagram of a nested model, in a frame."""
    cluster = pydot.Cluster(style="dashed", graph_name=diagram.name)
    cluster.set("label", diagram.name)
    cluster.set("labeljust", "l")
    return _add_parts(pydot, cluster, diagram)


def _add_parts(pydot, dot, diagram):
    """Add the parts and edges of the diagram to a pydot graph."""
    attributes = {"fontname": "Helvetica", "border": "0", "margin": "0"}
    for part in diagram.parts:
        if isinstance(part, Diagram):
            dot.add_subgraph(_cluster(pydot, part))
        else:
            dot.add_node(pydot.Node(part[0], label=part[1], **attributes))
    for edge in diagram.edges:
        dot.add_edge(pydot.Edge(*edge, penwidth="2"))
    return dot


def plot_model(
    model,
    to_file="model.png",
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """Draw a model into a file.

    Args:
        model: a built model.
        to_file: path; its ending is the format, `.png` by default.
        show_shapes: bool, whether to show the input and output shapes.
        show_dtype: bool, whether to show the output dtypes.
        show_layer_names: bool, whether to show the names of the layers.
        rankdir: `"TB"` draws from top to bottom, `"LR"` from left to right.
        expand_nested: bool, whether to draw the layers of nested models in a frame.
        dpi: int, dots per inch.
        show_layer_activations: bool, whether to show the names of the activations.
        show_trainable: bool, whether to show which layers are trainable.
        splines: str, how Graphviz bends the arrows: `"ortho"`, `"curved"`,
            `"polyline"`, …
        **kwargs: must be empty.

    Returns:
        In a notebook the image, otherwise None.

    Raises:
        ImportError: pydot or Graphviz is not installed.
        ValueError: the model is not built, or an unknown argument.
    """
    pydot = _pydot("plot_model")
    dot = model_to_dot(
        model,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        dpi=dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
        **kwargs,
    )
    to_file = str(to_file)
    ending = os.path.splitext(to_file)[1][1:]
    if not ending:
        to_file, ending = f"{to_file}.png", "png"
    try:
        pydot.Dot.create(pydot.Dot())
    except (OSError, pydot.PydotException):
        raise ImportError(
            "plot_model draws with Graphviz: install it, see "
            "https://graphviz.org/download/, so that `dot` is found."
        ) from None
    dot.write(to_file, format=ending)
    if ending != "pdf" and "IPython" in sys.modules:
        display = late_import("IPython.display")
        return display.Image(filename=to_file)
    return None


def get_source_inputs(tensor):
    """Return the inputs that a KerasTensor is computed from, each once.

    Args:
        tensor: KerasTensor; any other value is returned as it is.

    Returns:
        List of KerasTensors.

    >>> x, y = keras.Input((2,)), keras.Input((2,))
    >>> z = keras.layers.Add()([x, keras.layers.Dense(2)(y)])
    >>> keras.utils.get_source_inputs(z) == [x, y]
    True
    """
    if not hasattr(tensor, "_keras_history"):
        return tensor
    sources, visited, stack = [], set(), [tensor]
    while stack:
        node = node_of(stack.pop())
        if node in visited:
            continue
        visited.add(node)
        if node.is_input:
            sources.extend(node.output_tensors)
        stack.extend(reversed(node.input_tensors))
    return sources

"""Drawings of models: boxes for layers, arrows for what flows between them."""

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


class Picture(NamedTuple):
    """A drawing, or a part of one with a frame around it.

    Args:
        name: of the model.
        parts: boxes (key, label) and pictures of nested models.
        arrows: pairs (from, to) of keys.
    """

    name: str
    parts: list
    arrows: list


class Style(NamedTuple):
    """What the boxes show."""

    shapes: bool = False
    dtype: bool = False
    names: bool = True
    activations: bool = False
    trainable: bool = False

    @property
    def columns(self):
        """Cells of a box's last row."""
        return max(1, 2 * self.shapes + self.dtype + self.trainable)


def picture(model, style, expand_nested=False):
    """The `Picture` of a model."""

    def part(layer):
        if expand_nested and isinstance(layer, (Functional, Sequential)):
            return picture(layer, style, expand_nested)
        return str(id(layer)), label(layer, style)

    if isinstance(model, Functional):
        layers, pairs = model.operations, _calls(model)
    elif isinstance(model, Sequential):
        layers = model.layers
        pairs = [((a, 0), (b, 0)) for a, b in zip(layers, layers[1:], strict=False)]
    else:
        layers, pairs = [model], []
    if expand_nested and pairs:
        pairs = [(_inside(a, "out"), _inside(b, "in")) for a, b in pairs]
    arrows = [(str(id(a)), str(id(b))) for (a, _), (b, _) in pairs]
    return Picture(model.name, [part(x) for x in layers], list(dict.fromkeys(arrows)))


def _calls(model):
    """Pairs ((operation, number of its output), (operation, number of its input))."""
    inside = set(model._mk_graph.nodes)
    return [
        ((tensor._keras_history[0], tensor._keras_history[2]), (operation, i))
        for operation in model.operations
        for node in operation._mk_inbound_nodes
        if node in inside
        for i, tensor in enumerate(node.input_tensors)
        if node_of(tensor) in inside
    ]


def _inside(end, side):
    """Where an arrow ends if it points at a nested model: at a layer in it."""
    layer, number = end
    if isinstance(layer, Functional):
        tensors = layer.outputs if side == "out" else layer.inputs
        history = tensors[min(number, len(tensors) - 1)]._keras_history
        return _inside((history[0], history[2]), side)
    if isinstance(layer, Sequential) and layer.layers:
        return _inside((layer.layers[-1 if side == "out" else 0], 0), side)
    return end


def label(layer, style):
    """The table in a layer's box, in Graphviz's HTML."""
    kind = getattr(layer, "class_name", type(layer).__name__)
    title = f"<b>{_text(kind)}</b>"
    if style.names:
        title = f"<b>{_text(layer.name)}</b> ({_text(kind)})"
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
        cells.append(_cell("Input shape", _each(layer, "input", "shape")))
    if style.shapes:
        cells.append(_cell("Output shape", _each(layer, "output", "shape")))
    if style.dtype:
        cells.append(_cell("Output dtype", _each(layer, "output", "dtype")))
    if style.trainable and getattr(layer, "weights", None):
        colour = "forestgreen" if layer.trainable else "firebrick"
        word = "Trainable" if layer.trainable else "Non-trainable"
        cells.append(
            f'<td bgcolor="{colour}">'
            f'<font point-size="14" color="white"><b>{word}</b></font></td>'
        )
    table += _row("".join(cells)) if cells else ""
    settings = 'border="0" cellborder="1" bgcolor="black" cellpadding="10"'
    return f"<<table {settings}>{table}</table>>"


def _row(cells):
    return f"<tr>{cells}</tr>"


def _cell(what, value, more=""):
    text = f"{what}: <b>{_text(value)}</b>"
    return f'<td bgcolor="white"{more}><font point-size="14">{text}</font></td>'


def _text(value):
    # Graphviz reads a bare "<lambda>" as a tag that it does not know.
    return html.escape(str(value), quote=False)


def _activation_name(layer):
    activation = layer.activation
    if activation is None:
        return "linear"
    return getattr(activation, "__name__", type(activation).__name__)


def _each(layer, side, attribute):
    """The attribute of the tensor(s) of the first call; "?" if there was none."""
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
    """The drawing of a model as a `pydot.Dot`, or a `pydot.Cluster` of another one.

    Args:
        model: a model that is built.
        show_shapes, show_dtype, show_layer_names, show_layer_activations,
            show_trainable: what the boxes say.
        rankdir: `"TB"` from top to bottom, `"LR"` from left to right.
        expand_nested: draw the layers of nested models, in a frame?
        dpi: dots per inch.
        subgraph: make a frame, to be put into another drawing?
        splines: how Graphviz bends the arrows.

    Raises:
        ImportError: pydot is not installed.
        ValueError: the model is not built, or an unknown argument.
    """
    pydot = _pydot("model_to_dot")
    _refuse(kwargs)
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
    drawn = picture(model, style, expand_nested)
    if subgraph:
        return _frame(pydot, drawn)
    dot = pydot.Dot()
    dot.set("rankdir", rankdir)
    dot.set("concentrate", True)
    dot.set("dpi", dpi)
    dot.set("splines", splines)
    dot.set_node_defaults(shape="record")
    return _fill(pydot, dot, drawn)


def _refuse(kwargs):
    if kwargs:
        raise ValueError(
            f"Unrecognized keyword arguments: {kwargs}. (`layer_range` is no longer "
            "supported.)"
        )


def _pydot(caller):
    try:
        return late_import("pydot")
    except ImportError:
        raise ImportError(
            f"{caller} draws with pydot: install it with `pip install pydot`."
        ) from None


def _frame(pydot, drawn):
    cluster = pydot.Cluster(style="dashed", graph_name=drawn.name)
    cluster.set("label", drawn.name)
    cluster.set("labeljust", "l")
    return _fill(pydot, cluster, drawn)


def _fill(pydot, dot, drawn):
    look = {"fontname": "Helvetica", "border": "0", "margin": "0"}
    for part in drawn.parts:
        if isinstance(part, Picture):
            dot.add_subgraph(_frame(pydot, part))
        else:
            dot.add_node(pydot.Node(part[0], label=part[1], **look))
    for arrow in drawn.arrows:
        dot.add_edge(pydot.Edge(*arrow, penwidth="2"))
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
        model: a model that is built.
        to_file: path; its ending says the format, `.png` by default.
        show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
            show_layer_activations, show_trainable, splines: see `model_to_dot`.

    Returns:
        In a notebook the picture, to be shown.

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
    """The inputs that a KerasTensor is computed from, each once.

    Args:
        tensor: KerasTensor; anything else is returned as it is.

    >>> from minikeras import Input, layers
    >>> x, y = Input((2,)), Input((2,))
    >>> get_source_inputs(layers.Add()([x, layers.Dense(2)(y)])) == [x, y]
    True
    """
    if not hasattr(tensor, "_keras_history"):
        return tensor
    found, seen, todo = [], set(), [tensor]
    while todo:
        node = node_of(todo.pop())
        if node in seen:
            continue
        seen.add(node)
        if node.is_input:
            found.extend(node.output_tensors)
        todo.extend(reversed(node.input_tensors))
    return found

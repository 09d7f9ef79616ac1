"""Diagrams of models: boxes for layers, arrows for the tensors between them."""

import os
import sys

from minikeras.core.late_import import late_import
from minikeras.models.diagram import Diagram, Style, diagram_of, rows_of
from minikeras.models.diagram_figure import draw_diagram
from minikeras.models.graph import node_of


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
    _check(model, kwargs)
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


def _check(model, kwargs):
    """Refuse a model that is not built, and unknown arguments."""
    if not model.built:
        raise ValueError(
            f"{model.name!r} has not yet been built: its layers are not known. Call it "
            "on a batch of data or call `build()` first."
        )
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
            f"{caller} makes a graph of pydot: install it with `pip install pydot`. "
            "`plot_model` needs matplotlib alone."
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

    Graphviz draws it, by pydot. Where one of them is not installed, matplotlib draws
    the same boxes and arrows.

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
        ImportError: neither Graphviz with pydot nor matplotlib is installed.
        ValueError: the model is not built, or an unknown argument.
    """
    _check(model, kwargs)
    to_file = str(to_file)
    if not os.path.splitext(to_file)[1][1:]:
        to_file = f"{to_file}.png"
    if _has_graphviz():
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
        )
        dot.write(to_file, format=os.path.splitext(to_file)[1][1:])
    else:
        style = Style(
            show_shapes, show_dtype, show_layer_names, show_layer_activations,
            show_trainable,
        )  # fmt: skip
        diagram = diagram_of(model, style, expand_nested, rows_of)
        draw_diagram(diagram, to_file, rankdir, dpi, splines)
    return _shown(to_file)


def _has_graphviz():
    """Are pydot and the program `dot` of Graphviz there?"""
    try:
        pydot = late_import("pydot")
        pydot.Dot.create(pydot.Dot())
    except (ImportError, OSError):
        return False
    except pydot.PydotException:
        return False
    return True


def _shown(path):
    """The image for a notebook; None elsewhere."""
    ending = os.path.splitext(path)[1][1:].lower()
    if ending == "pdf" or "IPython" not in sys.modules:
        return None
    display = late_import("IPython.display")
    return display.SVG(path) if ending == "svg" else display.Image(filename=path)


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

"""The table of `Model.summary()`."""

import re
from typing import Any

import jax
import numpy as np

from minikeras.core import dtypes
from minikeras.layers.tracking import Tracked


def print_summary(
    model,
    line_length=None,
    positions=None,
    print_fn=None,
    expand_nested=False,
    show_trainable=False,
    layer_range=None,
):
    """Print the layers of a model as a table; see `Model.summary`."""
    text = summary_text(
        model, line_length, positions, expand_nested, show_trainable, layer_range
    )
    if print_fn is None:
        from minikeras.utils.io import print_msg

        print_msg(text)
    else:
        print_fn(text)


def summary_text(
    model,
    line_length=None,
    positions=None,
    expand_nested=False,
    show_trainable=False,
    layer_range=None,
):
    """The table and the totals as text."""
    import rich.console

    linear = is_linear(model)
    columns = ["Layer (type)", "Output Shape", "Param #"]
    if not linear:
        columns.append("Connected to")
    if show_trainable:
        columns.append("Trainable")
    width = line_length or 80
    table = _empty_table(columns, positions, width)
    for layer, depth in _rows(model, expand_nested, layer_range):
        cells = [_title(layer, depth), _output_shape(layer), _parameters(layer)]
        if not linear:
            cells.append(_connections(layer, model) if depth == 0 else "")
        if show_trainable:
            weights = getattr(layer, "weights", ())  # a recorded op has none
            cells.append(("Y" if layer.trainable else "N") if weights else "-")
        table.add_row(*map(_escape, cells))
    console = rich.console.Console(
        width=width, record=False, force_terminal=False, color_system=None
    )
    with console.capture() as capture:
        console.print(_escape(f'Model: "{model.name}"'), highlight=False)
        console.print(table, highlight=False)
        for line in totals(model):
            console.print(_escape(f" {line}"), highlight=False)
    return capture.get().rstrip("\n")


def _empty_table(columns, positions, width):
    import rich.table

    table = rich.table.Table(
        width=width,
        header_style="bold",
        show_lines=True,
        box=rich.box.HEAVY_HEAD,
    )
    shares = _shares(positions, len(columns))
    for name, share in zip(columns, shares, strict=True):
        table.add_column(
            name,
            ratio=share,
            justify="right" if name == "Param #" else "left",
            overflow="fold",
            min_width=9 if name == "Trainable" else None,
        )
    return table


def _escape(text):
    from rich.markup import escape

    return escape(text)


def _shares(positions, count):
    if positions is None:
        return [45, 30, 20, 35, 12][:count] if count > 3 else [45, 33, 22]
    edges = [0, *positions]
    return [
        max(1, round(100 * (b - a))) if b <= 1 else max(1, round(b - a))
        for a, b in zip(edges, edges[1:], strict=False)
    ][:count]


def is_linear(model) -> bool:
    """Does each layer feed only the next one, so that connections need no column?"""
    if hasattr(model, "_mk_stack"):
        return True
    if not hasattr(model, "_mk_graph"):
        return True
    nodes = model._mk_graph.nodes
    used = [id(x) for node in nodes for x in node.input_tensors]
    return (
        len(nodes) == len(model._mk_graph.operations)
        and len(used) == len(set(used))
        and all(len(node.input_tensors) <= 1 for node in nodes)
    )


def _rows(model, expand_nested, layer_range, depth=0):
    layers = getattr(model, "operations", model.layers)
    layers = _in_range(layers, layer_range) if depth == 0 else layers
    for layer in layers:
        yield layer, depth
        if expand_nested and getattr(layer, "layers", None):
            yield from _rows(layer, True, None, depth + 1)


def _in_range(layers, layer_range):
    if layer_range is None:
        return layers
    if len(layer_range) != 2:
        raise ValueError(
            f"layer_range: expected (first name, last name), got {layer_range!r}."
        )
    ends = []
    for pattern in layer_range:
        found = [i for i, x in enumerate(layers) if re.match(pattern, x.name)]
        if not found:
            raise ValueError(
                f"layer_range: no layer is called {pattern!r}; the model has "
                f"{[x.name for x in layers]}."
            )
        ends.append(found)
    first, last = min(ends[0]), max(ends[1])
    return layers[min(first, last) : max(first, last) + 1]


def _title(layer, depth):
    kind = getattr(layer, "class_name", type(layer).__name__)
    return f"{'   └ ' * bool(depth)}{layer.name} ({kind})"


def _output_shape(layer):
    nodes = layer._mk_inbound_nodes
    if nodes:
        shapes = [jax.tree_util.tree_map(lambda x: x.shape, nodes[0].outputs)]
    elif getattr(layer, "_mk_functional", None) is not None:
        shapes = [layer.output_shape]
    elif layer.built and layer.get_build_config():
        try:
            config = layer.get_build_config()
            shapes = [layer.compute_output_shape(**_shape_arguments(config))]
        except Exception:  # a layer without a shape rule is shown without a shape
            shapes = []
    else:
        shapes = []
    return ", ".join(map(str, shapes)) if shapes else "?"


def _shape_arguments(config):
    shapes = config.get("shapes_dict")
    return shapes if shapes else {"input_shape": config["input_shape"]}


def _parameters(layer):
    if not isinstance(layer, Tracked):
        return "0"
    if not layer.built:
        return f"{count(layer.weights):,} (unbuilt)"
    return f"{count(layer.weights):,}"


def _connections(layer, model):
    inside = set(model._mk_graph.nodes)
    sources = []
    for node in layer._mk_inbound_nodes:
        if node in inside:
            for x in node.input_tensors:
                operation, number, index = x._keras_history
                sources.append(f"{operation.name}[{number}][{index}]")
    return ",\n".join(sources) or "-"


def count(variables) -> int:
    """Number of scalars in the variables."""
    return int(sum(np.prod(v.shape, dtype=np.int64) for v in variables))


def size_in_bytes(variables) -> int:
    """Bytes that the variables' values take."""
    return int(
        sum(
            np.prod(v.shape, dtype=np.int64) * dtypes.as_jax(v.dtype).itemsize
            for v in variables
        )
    )


def _line(what, variables):
    size: Any = size_in_bytes(variables)
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024 or unit == "TB":
            break
        size /= 1024
    return f"{what} params: {count(variables):,} ({size:.2f} {unit})"


def totals(model) -> list[str]:
    """The lines below the table."""
    trainable, others = model.trainable_weights, model.non_trainable_weights
    optimizer = model.optimizer.variables if model.optimizer is not None else []
    lines = [
        _line("Total", trainable + others + list(optimizer)),
        _line("Trainable", trainable),
        _line("Non-trainable", others),
    ]
    if optimizer:
        lines.append(_line("Optimizer", list(optimizer)))
    return lines

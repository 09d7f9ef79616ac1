"""The table of `Model.summary()`.

On a terminal it is in colour and as wide as Keras's, or as the terminal if that is
narrower. Elsewhere it has no colours and 80 columns. `line_length` sets the width.
"""

import re
from typing import Any, NamedTuple

import jax
import numpy as np

from minikeras.core import dtypes
from minikeras.core import printing as terminal
from minikeras.core.checks import positive_int
from minikeras.core.late_import import late_import, restored_random_state
from minikeras.core.printing import print_msg
from minikeras.core.unknown_sizes import SIZES_FOR_NONE
from minikeras.layers.shapes import map_shapes
from minikeras.layers.tracking import StateTracking
from minikeras.settings import is_interactive_logging_enabled
from minikeras.training.cost_analysis import LayerCost, cost_analysis

# Widths relative to each other. With 17, "Trainable" stays on one line in a table of
# 108 columns.
_COLUMN_WIDTHS = {
    "Layer (type)": 45,
    "Output Shape": 33,
    "Param #": 22,
    "Connected to": 35,
    "Trainable": 17,
    "FLOPs": 15,
    "Training FLOPs": 15,
    "Outputs": 15,
    "Kept in training": 15,
}
_COST_COLUMNS = ("FLOPs", "Training FLOPs", "Outputs", "Kept in training")


def print_summary(
    model,
    line_length=None,
    positions=None,
    print_fn=None,
    expand_nested=False,
    show_trainable=False,
    layer_range=None,
    flops=False,
    memory=False,
):
    """Print the layers of a model as a table, with the arguments of `Model.summary`."""
    # A function, or the log, gets the text without colours.
    on_screen = print_fn is None and is_interactive_logging_enabled()
    print_fn = print_msg if print_fn is None else print_fn
    columns = (line_length, positions, expand_nested, show_trainable, layer_range)
    costs = _costs(model, flops, memory)
    print_fn(summary_text(model, *columns, on_screen=on_screen, costs=costs))


def summary_text(
    model,
    line_length=None,
    positions=None,
    expand_nested=False,
    show_trainable=False,
    layer_range=None,
    on_screen=False,
    costs=None,
):
    """The table and the totals as text; `on_screen` fits them to standard output."""
    connected, costs = not is_linear(model), costs or Costs(None, (), ())
    columns = ["Layer (type)", "Output Shape", "Param #"]
    columns += ["Connected to"] * connected + ["Trainable"] * show_trainable
    columns += costs.columns
    width = line_length or _width(
        connected, show_trainable, on_screen, len(costs.columns)
    )
    colours = on_screen and terminal.shows_colours()
    # While it prints, rich imports modules and draws random numbers to name styles.
    with restored_random_state():
        console = late_import("rich.console").Console(
            width=width,
            force_terminal=colours,
            # In a notebook, rich would show an empty box for the captured text.
            force_jupyter=False,
            # "standard": the 16 colours whose look the user chose for the terminal.
            color_system="standard" if colours else None,
        )
        table = _empty_table(columns, positions, width)
        for layer, around in _rows(model, expand_nested, layer_range):
            depth = len(around)
            cells = [_title(layer, depth), _output_shape(layer), _parameters(layer)]
            if connected:
                cells.append(_connections(layer, model) if depth == 0 else "")
            if show_trainable:
                weights = getattr(layer, "weights", ())  # a recorded op has none
                cells.append(("Y" if layer.trainable else "N") if weights else "-")
            cells += costs.cells((*around, layer.name))
            table.add_row(*map(_coloured, cells, columns))
        with console.capture() as capture:
            console.print(_styled(f'Model: "{model.name}"', "bold"))
            console.print(table, highlight=False)
            for line in (*totals(model), *costs.lines):
                console.print(_coloured(f" {line}"))
    return capture.get().rstrip("\n")


def _width(connected, show_trainable, on_screen, costs=0):
    """Width of the table: 80 columns off screen, else Keras's, or the terminal's."""
    available = terminal.columns() if on_screen else None
    if available is None:
        return 80 + 13 * costs
    width = (108 if connected else 88) + 12 * show_trainable + 13 * costs
    return min(width, available)


def _styled(text, style):
    return late_import("rich.text").Text(text, style)


def _coloured(text, column=None):
    """The text of a cell, or of a line below the table, in the colours of Keras."""
    text = _styled(text, "")
    if column is None:
        text.highlight_regex(r"^ [^:]+: ", "bold")
        text.highlight_regex(r"(?<=: )[\d,]+", "green")
    elif column == "Layer (type)":
        text.highlight_regex(r"(?<=\()[^()]+(?=\)$)", "blue")
    elif column == "Output Shape":
        text.highlight_regex(r"\d+", "green")
        text.highlight_regex("None", "cyan")
    elif column in ("Param #", *_COST_COLUMNS):
        text.highlight_regex(r"[\d,]+", "green")
    elif column == "Connected to":
        text.highlight_regex(r"(?<=\[)\d+(?=\])", "green")
    elif column == "Trainable":
        text.highlight_regex("^Y$", "bold blue")
        text.highlight_regex("^N$", "bold red")
    return text


def _empty_table(columns, positions, width):
    """A table of rich with these columns and no rows."""
    table = late_import("rich.table").Table(
        width=width,
        header_style="bold",
        show_lines=True,
        box=late_import("rich.box").HEAVY_HEAD,
    )
    shares = _shares(positions, columns)
    for name, share in zip(columns, shares, strict=True):
        table.add_column(
            name,
            ratio=share,
            justify="right" if name in ("Param #", *_COST_COLUMNS) else "left",
            overflow="fold",
            min_width=9 if name == "Trainable" else None,
        )
    return table


def _shares(positions, columns):
    """Relative widths of the columns; `positions` are their right edges."""
    if positions is None:
        return [_COLUMN_WIDTHS[name] for name in columns]
    edges = [0, *positions]
    shares = [
        max(1, round(100 * (b - a))) if b <= 1 else max(1, round(b - a))
        for a, b in zip(edges, edges[1:], strict=False)
    ][: len(columns)]
    # Keras has no columns of costs, so old positions leave them out.
    known = sum(name not in _COST_COLUMNS for name in columns)
    extra = [max(1, round(0.12 * sum(shares)))] * (len(columns) - known)
    return shares[:known] + (shares[known:] or extra)


def is_linear(model) -> bool:
    """Does each layer feed only the next one? Then no column lists connections."""
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


def _rows(model, expand_nested, layer_range, around=()):
    """(layer, names of the models around it within this one) for each row."""
    layers = getattr(model, "operations", model.layers)
    layers = layers if around else _in_range(layers, layer_range)
    for layer in layers:
        yield layer, around
        if expand_nested and getattr(layer, "layers", None):
            yield from _rows(layer, True, None, (*around, layer.name))


def _in_range(layers, layer_range):
    """The layers from the first to the last name, which are regular expressions."""
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
    branch = f"{'   ' * depth}└ " if depth else ""
    return f"{branch}{layer.name} ({kind})"


def _output_shape(layer):
    """The output shape(s) of a layer's first call as text, "?" if unknown."""
    nodes = layer._mk_inbound_nodes
    if nodes:
        shapes = [jax.tree_util.tree_map(lambda x: x.shape, nodes[0].outputs)]
    elif getattr(layer, "_mk_functional", None) is not None:
        shapes = [layer.output_shape]
    elif layer.built and layer.get_build_config():
        try:
            args, kwargs = _shape_arguments(layer.get_build_config())
            shapes = [layer.compute_output_shape(*args, **kwargs)]
        except Exception:  # a user's layer may be impossible to trace: show "?"
            shapes = []
    else:
        shapes = []
    return ", ".join(map(str, shapes)) if shapes else "?"


def _shape_arguments(config):
    """(args, kwargs) of `compute_output_shape`, from a layer's build config.

    A single shape is passed by position: `build` may call it by another name.
    """
    config = {key: map_shapes(_without_fills, x) for key, x in config.items()}
    named = config.get("shapes_dict")
    return ((), named) if named else ((config["input_shape"],), {})


def _without_fills(shape):
    """The shape with None in place of the sizes that replace None in a trace.

    Only shapes without a batch size contain such sizes. A real size of the same value
    cannot be told apart.
    """
    if not shape or shape[0] is not None:
        return shape
    return tuple(None if size in SIZES_FOR_NONE else size for size in shape)


def _parameters(layer):
    if not isinstance(layer, StateTracking):
        return "0"
    if not layer.built:
        return f"{count(layer.weights):,} (unbuilt)"
    return f"{count(layer.weights):,}"


def _connections(layer, model):
    """The inputs of a layer's calls: "layer[call][output]", one in each line."""
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


def variables_size(variables) -> int:
    """Size of the variables' values in bytes."""
    return int(
        sum(
            np.prod(v.shape, dtype=np.int64) * dtypes.as_jax(v.dtype).itemsize
            for v in variables
        )
    )


def _line(kind, variables):
    """A line of the totals: number of parameters and their size in memory."""
    return f"{kind} params: {count(variables):,} ({_bytes(variables_size(variables))})"


def _bytes(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"


def _operations(number: float) -> str:
    for unit in ("", " K", " M", " G"):
        if number < 1000:
            return f"{number:.3g}{unit}" if unit else f"{number:.0f}"
        number /= 1000
    return f"{number:.3g} T"


class Costs(NamedTuple):
    """What a summary shows of a `CostAnalysis`.

    Attributes:
        analysis: the `CostAnalysis`, or None.
        columns: names of columns of the table.
        lines: below the table.
    """

    analysis: Any
    columns: tuple[str, ...]
    lines: tuple[str, ...]

    def cells(self, names):
        """The cells of a layer; operations are those of one sample."""
        if self.analysis is None:
            return []
        cost, size = self.analysis.layers.get(names, LayerCost()), self.analysis
        texts = {
            "FLOPs": _operations(cost.flops / size.batch_size),
            "Training FLOPs": _operations(cost.training_flops / size.batch_size),
            "Outputs": _bytes(cost.output_bytes),
            "Kept in training": _bytes(cost.kept_bytes),
        }
        return [texts[name] for name in self.columns]


def _costs(model, flops, memory):
    """The `Costs` of a model, for the arguments of `Model.summary`."""
    if flops is False and memory is False:
        return None
    batch_size = 32 if isinstance(memory, bool) else positive_int(memory, "memory")
    inputs = None if isinstance(flops, bool) else flops
    found = cost_analysis(model, batch_size, inputs)
    batch, lines = f"batch of {found.batch_size}", []
    if flops is not False:
        for of, size in (("sample", found.batch_size), (batch, 1)):
            lines.append(
                f"FLOPs of a {of}: {_operations(found.flops / size)} for inference, "
                f"{_operations(found.training_flops / size)} for training"
            )
        if found.has_open_loop:
            lines.append("FLOPs: each `while` loop counts as if it ran once")
    if memory is not False:
        lines += [
            f"Memory for {kind}, {batch}: {_bytes(need.total)} ({_parts(need)})"
            for kind, need in (
                ("inference", found.inference_memory),
                ("training", found.training_memory),
            )
        ]
    first, last = 2 * (flops is False), 2 + 2 * (memory is not False)
    return Costs(found, _COST_COLUMNS[first:last], tuple(lines))


def _parts(need):
    parts = ("weights", "gradients", "optimizer", "activations")
    sizes = [(name, getattr(need, name)) for name in parts]
    return ", ".join(f"{name} {_bytes(size)}" for name, size in sizes if size)


def totals(model) -> list[str]:
    """The lines below the table."""
    trainable, others = model.trainable_weights, model.non_trainable_weights
    # Before its first step an optimizer has only its settings, which are not counted.
    optimizer = getattr(model, "optimizer", None)
    slots = optimizer.variables if optimizer is not None and optimizer.built else []
    lines = [
        _line("Total", trainable + others + list(slots)),
        _line("Trainable", trainable),
        _line("Non-trainable", others),
    ]
    if slots:
        lines.append(_line("Optimizer", list(slots)))
    return lines

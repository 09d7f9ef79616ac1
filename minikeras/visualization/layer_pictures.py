"""What the layers of a model give for a sample, as pictures."""

import math

import jax
import numpy as np

from minikeras import settings
from minikeras.core.checks import is_int, positive_int
from minikeras.layers.core.input_layer import InputLayer
from minikeras.layers.layer import Layer
from minikeras.visualization.figures import (
    MISSING,
    colormap_of,
    coloured,
    finish,
    mosaic,
    new_figure,
)
from minikeras.visualization.layer_calls import (
    as_batch,
    check_built,
    find_layer,
    recorded,
)

_MOST_LAYERS = 16
_MOST_BARS = 128
_WIDTH = 9.0  # inches of a figure
_TILE_GAP = 12  # a white line for each so many pixels of a tile


def plot_layer_outputs(
    model,
    x,
    layers=None,
    sample=0,
    max_channels=32,
    cmap="viridis",
    path=None,
    dpi=None,
):
    """Draw what the layers of a model give for a sample.

    Of outputs (height, width, channels) each channel is an image, of (steps, features)
    there is one heat map, a vector becomes bars or, if it is long, a strip. Each
    layer has its own scale, which its title tells; what is no finite number is magenta.

    Args:
        model: a built model.
        x: a batch of inputs, as the model takes them.
        layers: list of layers or of names, also of nested models; None: those that the
            model calls itself, without inputs and those that change nothing; of more
            than 16 some, evenly spaced.
        sample: int, number of the sample in the batch.
        max_channels: int, channels that are drawn of an output, the first ones.
        cmap: name of a colormap of matplotlib.
        path: file to write; None returns the figure.
        dpi: dots per inch of the file; None: 150.

    Returns:
        A figure of matplotlib; None with a path.

    Raises:
        ValueError: the model is not built, no such layer or sample, or a layer is not
            called.
        ImportError: matplotlib is not installed.

    >>> layers = [keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()]
    >>> model = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    >>> figure = keras.visualization.plot_layer_outputs(model, np.ones((3, 6, 6, 1)))
    >>> len(figure.axes)
    2
    """
    caller = "plot_layer_outputs"
    check_built(caller, model)
    positive_int(max_channels, "max_channels")
    x = as_batch(caller, x)
    size = len(jax.tree_util.tree_leaves(x)[0])
    if not is_int(sample) or not -size <= sample < size:
        raise ValueError(
            f"{caller}: the batch has {size} samples, got sample={sample!r}."
        )
    # Only this sample is computed.
    x = jax.tree_util.tree_map(lambda a: a[sample : sample + 1 or None], x)
    _, calls = recorded(model, x)
    calls = _chosen(caller, model, calls, layers)
    panels = [
        (_name(call, i, leaf), _Panel(call.layer, leaf[0], max_channels))
        for call in calls
        for i, leaf in enumerate(_arrays(call.outputs))
    ]
    if not panels:
        raise ValueError(f"{caller}: none of the layers gives an array.")
    return finish(_draw(caller, panels, cmap), path, dpi)


def _arrays(outputs):
    leaves = jax.tree_util.tree_leaves(outputs)
    return [np.asarray(leaf) for leaf in leaves if getattr(leaf, "ndim", 0) > 0]


def _chosen(caller, model, calls, layers):
    """The last call of each layer to draw."""
    last = {id(call.layer): call for call in calls}
    if layers is None:
        own = [id(x) for x in model._mk_flatten_layers(False, recursive=False)]
        found = [
            call
            for key, call in last.items()
            if key in own
            and not isinstance(call.layer, InputLayer)
            and call.outputs is not call.inputs
        ]
        if len(found) > _MOST_LAYERS:
            step = (len(found) - 1) / (_MOST_LAYERS - 1)
            found = [found[round(i * step)] for i in range(_MOST_LAYERS)]
        return found
    if isinstance(layers, (str, Layer)):
        layers = [layers]
    wanted = [find_layer(caller, model, layer) for layer in layers]
    for layer in wanted:
        if id(layer) not in last:
            raise ValueError(
                f"{caller}: the model does not call the layer {layer.name!r}, or calls "
                "it within a compiled loop."
            )
    return [last[id(layer)] for layer in wanted]


def _name(call, i, leaf):
    finite = leaf[0][np.isfinite(leaf[0].astype("float32"))]
    shape = "×".join(map(str, leaf.shape[1:])) or "1"
    values = "nothing finite"
    if finite.size:
        values = f"{float(finite.min()):.3g} … {float(finite.max()):.3g}"
    number = f" [{i}]" if i else ""
    missing = leaf[0].size - finite.size
    note = f", {missing} not finite" if missing and finite.size else ""
    kind = type(call.layer).__name__
    return f"{call.layer.name}{number} ({kind})  {shape}  {values}{note}"


class _Panel:
    """How the output of a layer for a sample is drawn.

    Args:
        layer: the layer.
        values: array, its output.
        max_channels: int, channels that are drawn at most.
    """

    def __init__(self, layer, values, max_channels):
        values = np.asarray(values, "float32")
        first = getattr(layer, "data_format", None) or settings.image_data_format()
        if first == "channels_first" and values.ndim > 2:
            values = np.moveaxis(values, 0, -1)
        while values.ndim > 3:  # of a volume the middle slice
            values = values[len(values) // 2]
        self.values = values
        if values.ndim == 3:
            self.values = values[..., :max_channels].transpose(2, 0, 1)
        elif values.ndim == 0:
            self.values = values[None]

    @property
    def height(self):
        """Inches."""
        if self.values.ndim == 1:
            return 1.0 if len(self.values) <= _MOST_BARS else 0.35
        if self.values.ndim == 2:
            rows, columns = self.values.shape
            return float(np.clip(_WIDTH * rows / columns, 0.6, 3.0))
        cols, rows = self._grid()
        _, height, width = self.values.shape
        return rows * min(_WIDTH / cols, 1.6 * width / height) * height / width

    def _grid(self):
        """(columns, rows) of the mosaic."""
        count, height, width = self.values.shape
        cols = min(count, max(1, math.floor(8 * max(1.0, height / width))))
        return cols, math.ceil(count / cols)

    def draw(self, axes, colormap):
        """Draw it into axes of matplotlib."""
        values = self.values
        if values.ndim == 1 and len(values) <= _MOST_BARS:
            _draw_bars(axes, values)
            return
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(False)
        if values.ndim < 3:
            picture = coloured(np.atleast_2d(values), colormap)
            axes.imshow(picture, aspect="auto", interpolation="nearest")
            return
        cols, _ = self._grid()
        gap = max(1, max(values.shape[1:]) // _TILE_GAP)
        picture = mosaic(coloured(values, colormap), cols, gap)
        axes.imshow(picture, interpolation="nearest")
        axes.set_anchor("W")
        axes.set_axis_off()


def _draw_bars(axes, values):
    finite, places = np.isfinite(values), np.arange(len(values))
    axes.bar(places, np.where(finite, values, 0), color="#1f77b4")
    for place in places[~finite]:
        colour = [part / 255 for part in MISSING]
        axes.axvspan(place - 0.4, place + 0.4, color=colour, linewidth=0)
    axes.margins(x=0.01)
    axes.tick_params(labelsize=7)
    axes.set_xticks(places[:: -(-len(values) // 16)])


def _draw(caller, panels, cmap):
    """Panels beneath each other, with titles."""
    colormap = colormap_of(caller, cmap)
    heights = [panel.height for _, panel in panels]
    figure = new_figure(
        caller, _WIDTH, sum(heights) + 0.5 * len(panels), layout="constrained"
    )
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    for axis, (name, panel) in zip(axes[:, 0], panels, strict=True):
        panel.draw(axis, colormap)
        axis.set_title(name, fontsize=8, loc="left", parse_math=False)
    return figure

"""The curves of a training."""

import numpy as np

from minikeras.saving.figures import finish, new_figure

_RATES = ("learning_rate", "lr")
_WIDTH, _HEIGHT = 5.2, 3.6  # inches of a panel


def curves_of(history, epochs, metrics=None):
    """The panels of a history: [(title, [(label, epochs, values, is of validation)])].

    Args:
        history: {name: list of values}; "val_…" belongs to the name behind it.
        epochs: {name: list of the epochs of its values, from 0}. Where it is of another
            length, the epochs are 1, 2, …
        metrics: list of names without "val_"; None: all, the loss first.

    Raises:
        ValueError: a name that is not in the history.
    """
    known = {name.removeprefix("val_"): None for name in history if name not in _RATES}
    order = sorted(known, key=lambda name: name != "loss")
    wanted = [metrics] if isinstance(metrics, str) else metrics
    if wanted is not None:
        wanted = list(dict.fromkeys(name.removeprefix("val_") for name in wanted))
        if missing := [name for name in wanted if name not in [*known, *_RATES]]:
            raise ValueError(
                f"History.plot: {missing} are not in the history, which has "
                f"{[*order, *(r for r in _RATES if r in history)]}."
            )
    panels = []
    for name in order if wanted is None else wanted:
        if name not in _RATES:
            names = [("training", name), ("validation", f"val_{name}")]
            lines = [(label, *_points(history, key, epochs), key != name)
                     for label, key in names if key in history]  # fmt: skip
            panels.append((name, lines))
    for name in _RATES:
        if name in history and (wanted is None or name in wanted):
            panels.append((name, [(name, *_points(history, name, epochs), False)]))
    return panels


def _points(history, name, epochs):
    """(numbers of the epochs from 1, values)."""
    values = np.array([_number(value) for value in history[name]])
    numbers = np.asarray(epochs.get(name, ()), int) + 1
    if len(numbers) != len(values):  # somebody else has filled the history
        numbers = np.arange(len(values)) + 1
    return numbers, values


def _number(value):
    """A value of a log as a float; of several their mean."""
    return float(np.mean(np.asarray(value, "float64")))


def plot_history(history, epochs, metrics, log_scale, path, dpi):
    """Draw the panels of a history, those of `curves_of`."""
    panels = [panel for panel in curves_of(history, epochs, metrics) if panel[1]]
    if not panels:
        raise ValueError("History.plot: there are no epochs yet. Call `fit` first.")
    cols = min(len(panels), 3)
    rows = -(-len(panels) // cols)
    figure = new_figure(
        "History.plot", cols * _WIDTH, rows * _HEIGHT, layout="constrained"
    )
    axes = figure.subplots(rows, cols, squeeze=False).ravel()
    for axis, (title, lines) in zip(axes, panels, strict=False):
        _draw_panel(axis, title, lines, log_scale)
    for axis in axes[len(panels) :]:
        axis.remove()
    return finish(figure, path, dpi)


def _draw_panel(axis, title, lines, log_scale):
    for label, epochs, values, is_validation in lines:
        # A line of one point would not be seen.
        mark = "o" if len(values) < 20 else None
        style = {"linestyle": "--" if is_validation else "-", "linewidth": 1.6}
        style["color"] = "#d95f02" if is_validation else "#1f77b4"
        axis.plot(epochs, values, marker=mark, markersize=3.5, label=label, **style)
    values = np.concatenate([values for _, _, values, _ in lines])
    values = values[np.isfinite(values)]
    is_rate = title in _RATES
    if (log_scale or is_rate) and values.size and values.min() > 0:
        if log_scale or values.max() > 20 * values.min():
            axis.set_yscale("log")
    axis.set_title(title, fontsize=11, parse_math=False)
    axis.set_xlabel("epoch")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    if not is_rate:
        axis.legend(fontsize=9)

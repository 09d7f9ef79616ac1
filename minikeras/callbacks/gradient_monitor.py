"""GradientMonitor: gradients that vanish or explode, and dead units, by layer."""

import warnings
from typing import Any

import jax
import numpy as np

from minikeras.callbacks.callback import Callback
from minikeras.core.checks import positive_int
from minikeras.saving.figures import finish, new_figure


class GradientMonitor(Callback):
    """Watches the gradient and the weights of each layer, and units that stay at 0.

    Every `freq` batches the gradient of the loss on the latest batch is computed once
    more, so it takes about 1 / `freq` of the time of the training. What it finds is
    read at the end of the epoch. A layer's norm is sqrt(sum g²) over all its weights.

    Args:
        freq: int >= 1, batches between two looks.
        vanishing: a layer whose median norm of the epoch is below this share of the
            largest one is warned of.
        exploding: a layer whose largest norm is above this, or not finite, is.
        dead: a layer is warned of if more than this share of its units was 0 for all
            samples of all looks of the epoch.

    Attributes:
        history: {path of a layer: {"gradient": [median norm of each epoch], "weight":
            [norm], "dead": [share of the units, in 0..1]}}.

    Raises:
        ValueError: `freq` is no positive int; in `fit`, the model has a `train_step` of
            its own and no compiled loss.

    >>> callback = GradientMonitor(freq=100)
    """

    _mk_batches_may_be_skipped = True

    def __init__(self, freq=50, vanishing=1e-5, exploding=1e3, dead=0.5):
        super().__init__()
        self.freq = positive_int(freq, "freq")
        self.vanishing, self.exploding, self.dead = vanishing, exploding, dead
        self.history: dict[str, dict[str, list[float]]] = {}
        self._mk_runner: Any = None
        self._mk_looks: list[Any] = []  # stay on the device until the epoch ends
        self._mk_next = 0
        self._mk_warned: set[str] = set()

    def _mk_watch(self, runner):
        """Take the runner of the training, which has the state and the batches."""
        if runner.name == "train_step":
            self._mk_runner = runner

    def on_train_begin(self, logs=None):
        self.history, self._mk_looks, self._mk_warned = {}, [], set()
        if self.model.loss is None and self.model._mk_overrides("train_step"):
            raise ValueError(
                f"GradientMonitor computes the gradients of the compiled loss, and "
                f"{type(self.model).__name__} has a train_step of its own; expected "
                "compile(loss=…) as well."
            )

    def on_epoch_begin(self, epoch, logs=None):
        self._mk_looks, self._mk_next = [], 0

    def on_train_batch_end(self, batch, logs=None):
        # The first batch of an epoch counts, then every `freq`-th.
        if batch >= self._mk_next and self._mk_runner is not None:
            self._mk_next = batch + self.freq
            self._mk_looks.append(self._mk_runner.look())

    def on_epoch_end(self, epoch, logs=None):
        looks, self._mk_looks = jax.device_get(self._mk_looks), []
        if not looks:
            return
        gradients, weights, silent = zip(*looks, strict=True)
        medians = {}
        for layer in gradients[0]:
            values = [float(g[layer]) for g in gradients]
            medians[layer] = float(np.median(values))
            row = self._mk_row(layer)
            row["gradient"].append(medians[layer])
            row["weight"].append(float(weights[-1][layer]))
            self._mk_warn_of_explosion(layer, max(values, key=_size), epoch)
        self._mk_warn_of_vanishing(medians, epoch)
        for layer in silent[0]:
            # All looks saw the same units: a batch of another size has as many.
            units = np.logical_and.reduce([s[layer] for s in silent])
            self._mk_row(layer)["dead"].append(float(units.mean()))
            self._mk_warn_of_dead(layer, units, epoch)

    def _mk_row(self, layer):
        rows = {"gradient": [], "weight": [], "dead": []}
        return self.history.setdefault(layer, rows)

    def _mk_warn_of_explosion(self, layer, norm, epoch):
        if not norm <= self.exploding:
            self._mk_warn(
                f"the gradient of {layer!r} explodes",
                f"its norm is {norm:.3g}. Clip it (clipnorm=1.0 of the optimizer), "
                "lower the learning rate, or normalize what goes into the layer.",
                epoch,
            )

    def _mk_warn_of_vanishing(self, medians, epoch):
        finite = {layer: x for layer, x in medians.items() if np.isfinite(x)}
        if not finite:
            return
        top = max(finite, key=lambda layer: finite[layer])
        for layer, norm in finite.items():
            if norm < self.vanishing * finite[top]:
                share = norm / finite[top]
                self._mk_warn(
                    f"the gradient of {layer!r} vanishes",
                    f"its norm is {norm:.3g}, {share:.1g} of that of {top!r}. Use ReLU "
                    "instead of sigmoid or tanh, BatchNormalization, or connections "
                    "that skip layers.",
                    epoch,
                )

    def _mk_warn_of_dead(self, layer, units, epoch):
        if units.mean() > self.dead:
            self._mk_warn(
                f"units of {layer!r} are dead",
                f"{int(units.sum())} of {units.size} were 0 for all samples. Lower the "
                'learning rate, initialize with "he_normal", or use LeakyReLU.',
                epoch,
            )

    def _mk_warn(self, fault, details, epoch):
        """Warn of a fault of a layer, once in a training."""
        if fault not in self._mk_warned:
            self._mk_warned.add(fault)
            text = f"Epoch {epoch + 1}: {fault}: {details}"
            warnings.warn(text, stacklevel=2)

    def plot(self, path=None, dpi=None):
        """Draw the norms of the gradients, and the shares of dead units, by epoch.

        Args:
            path: file to write; its ending is the format. None returns the figure.
            dpi: dots per inch of the file; None: 150.

        Returns:
            A figure of matplotlib; None with a path.

        Raises:
            ValueError: there is no epoch yet.
            ImportError: matplotlib is not installed.
        """
        return plot_norms(self.history, path, dpi)


def _size(value):
    return value if value == value else float("inf")


def plot_norms(history, path, dpi):
    """Draw the history of a `GradientMonitor`."""
    if not history:
        raise ValueError("GradientMonitor.plot: there are no epochs yet.")
    figure = new_figure("GradientMonitor.plot", 10.4, 3.9, layout="constrained")
    axes = figure.subplots(1, 2)
    titles = {"gradient": "norm of the gradient", "dead": "share of dead units"}
    for axis, (key, title) in zip(axes, titles.items(), strict=True):
        for layer, row in history.items():
            if row[key]:
                epochs = range(1, len(row[key]) + 1)
                axis.plot(epochs, row[key], marker="o", markersize=3, label=layer)
        axis.set_title(title, fontsize=11)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    axes[0].set_yscale("log")
    axes[1].set_ylim(-0.05, 1.05)
    return finish(figure, path, dpi)

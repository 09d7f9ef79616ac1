"""LearningRateFinder: which learning rates train, found by raising the rate."""

import math

import numpy as np

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.reduce_lr_on_plateau import learning_rate, optimizers_by_key
from minikeras.core.checks import positive_int
from minikeras.saving.figures import finish, new_figure

_FEW = 5  # losses before which nothing is called a divergence


class LearningRateFinder(Callback):
    """Raises the learning rate from batch to batch, and notes the losses.

    Step k of n trains with the rate lr_k = min_lr (max_lr / min_lr)^(k / (n - 1)). The
    training ends after n steps, or when the smoothed loss has grown to `stop_factor`
    times its best value. Then the model, its optimizer and the learning rate are as
    before. Give `fit` enough epochs for n steps. The loss of an epoch in the history is
    that of its last batch.

    Args:
        min_lr: first learning rate, > 0.
        max_lr: last learning rate, > `min_lr`.
        steps: int >= 10, number of steps n.
        smoothing: in [0, 1), share of the old value in each smoothed loss.
        stop_factor: > 1, growth of the smoothed loss that counts as a divergence.

    Attributes:
        learning_rates: rates of the steps so far.
        losses: losses of their batches.
        suggestion: learning rate to begin with: that of the steepest fall of the
            smoothed loss. None without a fall.

    Raises:
        ValueError: an argument is out of range; in `fit`, the optimizer has a schedule.

    Source: Smith, Cyclical Learning Rates for Training Neural Networks,
    arXiv:1506.01186. The stop and the smoothing are those of the library fastai.

    >>> finder = LearningRateFinder(1e-6, 1.0, steps=100)
    """

    def __init__(
        self, min_lr=1e-7, max_lr=10.0, steps=100, smoothing=0.9, stop_factor=4.0
    ):
        super().__init__()
        if not 0 < min_lr < max_lr < math.inf:
            raise ValueError(
                f"LearningRateFinder: expected 0 < min_lr < max_lr, got {min_lr!r} and "
                f"{max_lr!r}."
            )
        if positive_int(steps, "steps") < 10:
            raise ValueError(f"LearningRateFinder: expected steps >= 10, got {steps}.")
        if not (0 <= smoothing < 1 and stop_factor > 1):
            raise ValueError(
                "LearningRateFinder: expected smoothing in [0, 1) and stop_factor > 1, "
                f"got {smoothing!r} and {stop_factor!r}."
            )
        self.min_lr, self.max_lr, self.steps = min_lr, max_lr, steps
        self.smoothing, self.stop_factor = smoothing, stop_factor
        self.learning_rates, self.losses = [], []
        self._mk_before = []

    def on_train_begin(self, logs=None):
        self.learning_rates, self.losses = [], []
        for _, optimizer in optimizers_by_key(self.model):
            optimizer.learning_rate = learning_rate(optimizer)  # fails for a schedule
        variables = [*self.model.variables, *self.model.optimizer.variables]
        self._mk_before = [(v, np.array(v)) for v in variables]

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # the logs then tell the loss of this batch alone
        growth = self.max_lr / self.min_lr
        rate = self.min_lr * growth ** (len(self.losses) / (self.steps - 1))
        self.learning_rates.append(rate)
        for _, optimizer in optimizers_by_key(self.model):
            optimizer.learning_rate = rate

    def on_train_batch_end(self, batch, logs=None):
        if not logs or "loss" not in logs:  # a step of the user that tells none
            return
        self.losses.append(float(logs["loss"]))
        losses = smoothed(self.losses, self.smoothing)
        limit = self.stop_factor * np.min(losses)
        diverges = len(losses) > _FEW and losses[-1] > limit > 0
        is_finite = math.isfinite(self.losses[-1])
        if diverges or not is_finite or len(self.losses) >= self.steps:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        for variable, value in self._mk_before:
            variable.assign(value)
        self._mk_before = []

    @property
    def suggestion(self):
        """The rate of the steepest fall of the smoothed loss, or None."""
        return steepest(self.learning_rates, self.losses, self.smoothing)

    def plot(self, path=None, dpi=None):
        """Draw the loss over the learning rate, with the suggestion.

        Args:
            path: file to write; its ending is the format. None returns the figure.
            dpi: dots per inch of the file; None: 150.

        Returns:
            A figure of matplotlib; None with a path.

        Raises:
            ValueError: there are no steps yet.
            ImportError: matplotlib is not installed.
        """
        if not self.losses:
            raise ValueError("LearningRateFinder.plot: there are no steps yet.")
        figure = new_figure("LearningRateFinder.plot", 6.0, 4.0, layout="constrained")
        axis = figure.subplots()
        rates = self.learning_rates[: len(self.losses)]
        axis.plot(rates, self.losses, color="0.75", linewidth=1, label="loss")
        curve = smoothed(self.losses, self.smoothing)
        axis.plot(rates, curve, color="#1f77b4", label="smoothed")
        if (best := self.suggestion) is not None:
            label = f"steepest fall: {best:.2g}"
            axis.axvline(best, color="#d95f02", linestyle="--", label=label)
        finite = curve[np.isfinite(curve)]
        if finite.size:
            room = 0.1 * max(float(np.ptp(finite)), 1e-12)
            axis.set_ylim(finite.min() - room, finite.max() + room)
        axis.set_xscale("log")
        axis.set_xlabel("learning rate")
        axis.set_ylabel("loss")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=9)
        return finish(figure, path, dpi)


def smoothed(losses, share):
    """Exponential averages: s_k = share s_(k-1) + (1 - share) l_k, over 1 - share^k."""
    found, average = [], 0.0
    for k, loss in enumerate(losses, 1):
        average = share * average + (1 - share) * loss
        found.append(average / (1 - share**k))
    return np.array(found)


def steepest(rates, losses, smoothing):
    """The rate at which the smoothed loss falls fastest over log(rate); None: nowhere.

    Only the steps before the smallest loss count.
    """
    curve = smoothed(losses, smoothing)
    curve = curve[np.isfinite(curve)]
    if len(curve) < _FEW:
        return None
    end = int(np.argmin(curve)) + 1
    slopes = np.gradient(curve[:end], np.log(rates[:end])) if end > 2 else np.zeros(1)
    best = int(np.argmin(slopes))
    return rates[best] if slopes[best] < 0 else None

"""History: the logs of all epochs."""

from minikeras.callbacks.callback import Callback
from minikeras.callbacks.history_plot import plot_history


class History(Callback):
    """Collects the logs of all epochs. `fit` adds one and returns it.

    Attributes:
        history: dict from the name of a metric to the list of its values. A metric
            that is missing in some epochs has fewer values.
        epoch: list of the numbers of the epochs.
    """

    def __init__(self):
        super().__init__()
        self.history = {}
        self.epoch = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        # {name of a metric: epochs of its values}; subclasses may have no `__init__`.
        epochs = vars(self).setdefault("_mk_epochs", {})
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            epochs.setdefault(name, []).append(epoch)
        self.model.history = self

    def plot(self, metrics=None, path=None, log_scale=False, dpi=None):
        """Draw the curves of training and validation by epoch.

        Each metric has a panel with both curves, and the learning rate, where a
        callback has logged it, one at the end.

        Args:
            metrics: name or list of names, such as `["loss", "accuracy"]`; None: all.
            path: file to write; its ending is the format. None returns the figure.
            log_scale: bool, whether panels of positive values are logarithmic. That of
                a learning rate is, where it changes by more than a factor of 20.
            dpi: dots per inch of the file; None: 150.

        Returns:
            A figure of matplotlib; None with a path.

        Raises:
            ValueError: a metric that is not in the history, or no epoch yet.
            ImportError: matplotlib is not installed.
        """
        epochs = vars(self).get("_mk_epochs", {})
        return plot_history(self.history, epochs, metrics, log_scale, path, dpi)

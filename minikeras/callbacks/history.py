"""History: the logs of all epochs."""

from minikeras.callbacks.callback import Callback


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
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self

"""The record of a training run."""

from minikeras.callbacks.callback import Callback


class History(Callback):
    """Collects the logs of every epoch; `fit` adds one and returns it.

    Attributes:
        history: dict from metric name to its values, one an epoch. A metric that is
            not known every epoch has fewer.
        epoch: the epochs' numbers.
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

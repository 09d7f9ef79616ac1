"""Stop training when nothing gets better."""

import warnings

from minikeras.callbacks.monitor_callback import MonitorCallback
from minikeras.core.printing import print_msg


class EarlyStopping(MonitorCallback):
    """Stops training when the watched value has not improved for a while.

    Args:
        monitor: name of the watched value.
        min_delta: smallest change that counts as an improvement.
        patience: epochs without improvement to wait for.
        verbose: 1 says when training is stopped.
        mode: `"auto"`, `"min"` or `"max"`; see `MonitorCallback`.
        baseline: value to beat; improvements short of it use up patience like other
            epochs, but training stops only after an epoch without improvement.
        restore_best_weights: give the model the weights of its best epoch at the end,
            whatever ended the training.
        start_from_epoch: epochs to let pass before watching.

    Attributes:
        best: best value so far.
        best_epoch: its epoch.
        best_weights: the weights then, with `restore_best_weights`.
        stopped_epoch: the epoch that stopped training, or 0.
        wait: epochs since the last improvement.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._mk_reset()

    def _mk_reset(self):
        self.best = None
        self.best_epoch = 0
        self.best_weights = None
        self.stopped_epoch = 0
        self.wait = 0

    def on_train_begin(self, logs=None):
        self._mk_reset()

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor_op is None:
            self._set_monitor_op()
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(value, self.best):
            self._mk_keep(epoch, value)
            # One that stays short of the baseline still uses up patience.
            if self.baseline is None or self._is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _mk_keep(self, epoch, value):
        self.best = value
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print_msg(f"Restoring the weights of epoch {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs):
        """The watched value in `logs`; None, with a warning, if it is not there."""
        logs = logs or {}
        if self.monitor not in logs:
            warnings.warn(
                f"EarlyStopping watches {self.monitor!r}, which is not among the "
                f"metrics: {', '.join(logs)}. Nothing is stopped.",
                stacklevel=2,
            )
        return logs.get(self.monitor)

"""EarlyStopping: stops training when a metric does not improve."""

import warnings

from minikeras.callbacks.monitor_callback import MonitorCallback
from minikeras.core.printing import print_msg


class EarlyStopping(MonitorCallback):
    """Stops training when a metric has not improved for some epochs.

    Args:
        monitor: name of the metric in the logs.
        min_delta: >= 0; a smaller change is no improvement.
        patience: number of epochs without improvement after which training stops.
        verbose: 1 prints when training stops.
        mode: "min" if smaller values are better, "max" if larger are; "auto" decides by
            the name: "min" for "loss", else by the model's metric of that name.
        baseline: value to reach. Epochs that improve but do not reach it count as
            epochs without improvement, but do not stop the training themselves.
        restore_best_weights: True sets the weights of the best epoch at the end of the
            training, also if it was not stopped.
        start_from_epoch: number of epochs at the start that do not count.

    Attributes:
        best: best value so far.
        best_epoch: number of the epoch with the best value.
        best_weights: weights of that epoch, if `restore_best_weights`.
        stopped_epoch: number of the epoch that stopped the training, or 0.
        wait: number of epochs since the last improvement.

    >>> callback = EarlyStopping(monitor="val_loss", patience=3)
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
            self._mk_record_best(epoch, value)
            # As in Keras, an improvement that does not reach the baseline leaves the
            # count of epochs as it is.
            if self.baseline is None or self._is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:  # as in Keras, not in epoch 0
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _mk_record_best(self, epoch, value):
        """Keep the value, the epoch and, if asked for, the weights as the best."""
        self.best = value
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print_msg(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs):
        """Look up the monitored value; warn if it is missing.

        Args:
            logs: dict of the metrics of an epoch, or None.

        Returns:
            The value, or None.
        """
        logs = logs or {}
        if self.monitor not in logs:
            warnings.warn(
                f"EarlyStopping watches {self.monitor!r}, which is not among the "
                f"metrics: {', '.join(logs)}. Nothing is stopped.",
                stacklevel=2,
            )
        return logs.get(self.monitor)

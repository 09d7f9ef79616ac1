"""CheckpointCallback: the base of callbacks that save while the model trains."""

import warnings

import numpy as np

from minikeras.callbacks.monitor_callback import MonitorCallback
from minikeras.core.printing import print_msg


class CheckpointCallback(MonitorCallback):
    """Base of callbacks that save after epochs or after a number of batches.

    Subclasses have `_save_model(epoch, batch, logs)`.

    Args:
        monitor: name of the metric in the logs.
        verbose: 1 prints when something is saved.
        save_best_only: True saves only when the metric has its best value so far.
        mode: "min" if smaller values are better, "max" if larger are; "auto" decides by
            the name: "min" for "loss", else by the model's metric of that name.
        save_freq: "epoch", or the number of batches after which to save, counted
            across epochs.
        initial_value_threshold: first value to beat with `save_best_only`; None: the
            first value is the best.
    """

    def __init__(
        self,
        monitor,
        verbose,
        save_best_only,
        mode,
        save_freq,
        initial_value_threshold,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a whole "
                "number of batches."
            )
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq = save_freq
        self._mk_current_epoch = 0
        self._mk_batches_seen_since_last_saving = 0
        self._mk_last_batch_seen = -1
        if save_freq == "epoch":
            hook = CheckpointCallback.on_train_batch_end
            self._mk_unused_hooks = {"on_train_batch_end": hook}

    def on_epoch_begin(self, epoch, logs=None):
        self._mk_current_epoch = epoch
        self._mk_last_batch_seen = -1

    def on_train_batch_end(self, batch, logs=None):
        if self._should_save_on_batch(batch):
            self._save_model(epoch=self._mk_current_epoch, batch=batch, logs=logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save_model(epoch=epoch, batch=None, logs=logs)

    def _save_model(self, epoch, batch, logs):
        """Save, unless `_mk_is_worth_saving` says no."""
        raise NotImplementedError

    def _should_save_on_batch(self, batch):
        """True if `save_freq` batches have passed since the last saving."""
        # With `steps_per_execution` the hook is called once for several batches.
        count = batch - self._mk_last_batch_seen
        self._mk_last_batch_seen = batch
        if self.save_freq == "epoch":
            return False
        self._mk_batches_seen_since_last_saving += count
        if self._mk_batches_seen_since_last_saving < self.save_freq:
            return False
        self._mk_batches_seen_since_last_saving = 0
        return True

    def _mk_is_worth_saving(self, epoch, logs, target, without_value):
        """True if the model is to be saved; updates the best value.

        Args:
            epoch: number of the epoch.
            logs: dict of metrics, or None.
            target: where it is saved, in words for the message.
            without_value: what happens if the logs lack the metric: a pair (True if
                the model is saved, the same in words).
        """
        start = f"\nEpoch {epoch + 1}: "
        if not self.save_best_only:
            if self.verbose > 0:
                print_msg(f"{start}saving model to {target}")
            return True
        if self.monitor_op is None:
            self._set_monitor_op()  # an error for a metric of unknown direction
        value = (logs or {}).get(self.monitor)
        if value is None or np.ndim(value) > 0:
            why = "is not among the metrics" if value is None else "is not a number"
            saves, words = without_value
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which {why}: "
                f"{', '.join(logs or {})}. {words}",
                stacklevel=4,
            )
            return saves
        best, better = self.best, self._is_improvement(value, self.best)
        if better:
            self.best = value
        if self.verbose > 0:
            was = "None" if best is None else f"{best:.5f}"
            change = f"improved from {was} to {value:.5f}, saving model to {target}"
            if not better:
                change = f"did not improve from {was}"
            print_msg(f"{start}{self.monitor} {change}")
        return better

    def _mk_print_saved(self, epoch, target):
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: finished saving model to {target}")

"""ModelCheckpoint: saves the model while it trains."""

import os
import warnings

import numpy as np

from minikeras.callbacks.monitor_callback import MonitorCallback
from minikeras.core.printing import print_msg


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or after a number of batches.

    Args:
        filepath: path that ends in `.keras`, or in `.weights.h5` for weights. It may
            contain names in braces, `"{epoch:02d}-{val_loss:.2f}.keras"`: `epoch` and
            `batch`, counted from 1, and the names in `logs`.
        monitor: name of the metric in the logs.
        verbose: 1 prints when a file is saved.
        save_best_only: True saves only when the metric has its best value so far.
        save_weights_only: True calls `model.save_weights` instead of `model.save`.
        mode: "min" if smaller values are better, "max" if larger are; "auto" decides by
            the name: "min" for "loss", else by the model's metric of that name.
        save_freq: "epoch", or the number of batches after which to save, counted
            across epochs.
        initial_value_threshold: first value to beat with `save_best_only`; None: the
            first value is the best.

    Attributes:
        best: best value so far.

    Raises:
        ValueError: the path has another ending, or `save_freq` another type.

    >>> callback = ModelCheckpoint("best.keras", save_best_only=True)
    """

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a whole "
                "number of batches."
            )
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._mk_current_epoch = 0
        self._mk_batches_seen_since_last_saving = 0
        self._mk_last_batch_seen = -1
        self._mk_check_ending()
        if save_freq == "epoch":
            hook = ModelCheckpoint.on_train_batch_end
            self._mk_unused_hooks = {"on_train_batch_end": hook}

    def _mk_check_ending(self):
        """Raise ValueError unless the path ends as its kind of file does."""
        endings = (".weights.h5",) if self.save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint: with save_weights_only={self.save_weights_only}, "
                f"filepath must end in {endings[0]!r}; got {self.filepath!r}. Change "
                "the ending or `save_weights_only`."
            )

    def on_epoch_begin(self, epoch, logs=None):
        self._mk_current_epoch = epoch
        self._mk_last_batch_seen = -1

    def on_train_batch_end(self, batch, logs=None):
        if self._should_save_on_batch(batch):
            self._save_model(epoch=self._mk_current_epoch, batch=batch, logs=logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save_model(epoch=epoch, batch=None, logs=logs)

    def _should_save_on_batch(self, batch):
        """True if `save_freq` batches have passed since the last saving."""
        if self.save_freq == "epoch":
            return False
        # With `steps_per_execution` the hook is called once for several batches.
        self._mk_batches_seen_since_last_saving += batch - self._mk_last_batch_seen
        self._mk_last_batch_seen = batch
        if self._mk_batches_seen_since_last_saving < self.save_freq:
            return False
        self._mk_batches_seen_since_last_saving = 0
        return True

    def _save_model(self, epoch, batch, logs):
        """Save the model, unless `save_best_only` says no."""
        filepath = self._get_file_path(epoch, batch, logs)
        if not self._should_save_model(epoch, batch, logs, filepath):
            return
        if folder := os.path.dirname(filepath):
            os.makedirs(folder, exist_ok=True)
        if os.path.isdir(filepath):
            raise OSError(
                f"ModelCheckpoint: {filepath!r} is a folder; expected the path of a "
                "file. Remove the folder or change `filepath`."
            )
        if self.save_weights_only:
            self.model.save_weights(filepath, overwrite=True)
        else:
            self.model.save(filepath, overwrite=True)
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: saved model to {filepath}")

    def _should_save_model(self, epoch, batch, logs, filepath):
        """True if the model is to be saved; updates the best value."""
        if not self.save_best_only:
            return True
        value = (logs or {}).get(self.monitor)
        if value is None or np.ndim(value) > 0:
            why = "is not among the metrics" if value is None else "is not a number"
            warnings.warn(
                f"ModelCheckpoint watches {self.monitor!r}, which {why}: "
                f"{', '.join(logs or {})}. Saving the model as it is.",
                stacklevel=2,
            )
            return True
        best = self.best
        better = self._is_improvement(value, best)
        if better:
            self.best = value
        if self.verbose > 0:
            verb = "improved" if better else "did not improve"
            to = f" to {value:.5f}" if better else ""
            start = "" if best is None else f" from {best:.5f}"
            print_msg(f"\nEpoch {epoch + 1}: {self.monitor} {verb}{start}{to}")
        return better

    def _get_file_path(self, epoch, batch, logs):
        """`filepath` with the values of epoch, batch and logs in its braces."""
        values = dict(logs) if "{" in self.filepath and logs else {}
        values["epoch"] = epoch + 1
        if batch is not None:
            values["batch"] = batch + 1
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, which is "
                f"not known there; known are: {', '.join(values)}."
            ) from error

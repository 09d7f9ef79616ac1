"""OrbaxCheckpoint: steps of a checkpoint of Orbax, saved while the model trains."""

import os

import jax
import numpy as np

from minikeras.callbacks.checkpoint_callback import CheckpointCallback
from minikeras.core.members import Alias
from minikeras.saving import orbax_folder


class OrbaxCheckpoint(CheckpointCallback):
    """Saves the model as steps of a checkpoint of Orbax, while it goes on training.

    `keras.models.load_model(directory)` and `model.load_weights(directory)` read the
    last step. A step has the number of the epoch, counted from 0; with a number as
    `save_freq` that of the optimizer's steps. In a folder that has steps already, the
    numbers go on after the last one.

    Args:
        directory: folder of the steps.
        monitor: name of the metric in the logs.
        verbose: 1 prints when a step is saved.
        save_best_only: True saves only when the metric has its best value so far. If
            the logs lack it, nothing is saved, with a warning.
        mode: "min" if smaller values are better, "max" if larger are; "auto" decides by
            the name: "min" for "loss", else by the model's metric of that name.
        save_freq: "epoch", or the number of batches after which to save, counted
            across epochs.
        initial_value_threshold: first value to beat with `save_best_only`; None: the
            first value is the best.
        max_to_keep: number of steps that stay, the last ones; None: all.
        save_on_background: bool, whether the files are written while training goes on.
        save_weights_only: True saves the weights without the model's config, the
            optimizer's state and the metrics.

    Attributes:
        best: best value so far.
        checkpointer: the `Checkpointer` of Orbax.

    Raises:
        ImportError: Orbax is not installed.
        ValueError: `save_freq` or `max_to_keep` has another type or range; by `fit`, if
            `save_best_only` is to watch a metric of unknown direction.
    """

    _save_checkpoint = Alias("_mk_save_checkpoint")

    def __init__(
        self,
        directory,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
        max_to_keep=1,
        save_on_background=True,
        save_weights_only=False,
    ):
        super().__init__(
            monitor, verbose, save_best_only, mode, save_freq, initial_value_threshold
        )
        orbax_folder.check_installed()
        if max_to_keep is not None and (
            not isinstance(max_to_keep, int) or max_to_keep < 1
        ):
            raise ValueError(
                "OrbaxCheckpoint: max_to_keep is the number of steps that stay, >= 1, "
                f"or None for all; got {max_to_keep!r}."
            )
        self.directory = os.fspath(directory)
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self._mk_checkpointer = None
        self._mk_total_batches_seen = 0
        self._mk_next_step = 0

    def __getstate__(self):
        return vars(self) | {"_mk_checkpointer": None}

    @property
    def checkpointer(self):
        """The `Checkpointer` of Orbax."""
        if self._mk_checkpointer is None:
            self._mk_checkpointer = orbax_folder.checkpointer(
                self.directory, self.max_to_keep
            )
        return self._mk_checkpointer

    def wait_until_finished(self):
        """Wait until all steps are written."""
        self.checkpointer.wait()

    def is_multihost_enabled(self):
        """True if several processes train together."""
        return jax.process_count() > 1

    def is_primary_host(self):
        """True in the process that is the first, or the only one."""
        return jax.process_index() == 0

    def on_train_begin(self, logs=None):
        iterations = getattr(self.model.optimizer, "iterations", None)
        done = 0 if iterations is None else int(np.asarray(iterations))
        self._mk_total_batches_seen = done
        self._mk_next_step = orbax_folder.next_step(self.directory)

    def on_train_batch_end(self, batch, logs=None):
        self._mk_total_batches_seen += batch - self._mk_last_batch_seen
        super().on_train_batch_end(batch, logs)

    def on_train_end(self, logs=None):
        self.wait_until_finished()

    def _save_model(self, epoch, batch, logs):
        """Save a step, unless `save_best_only` says no."""
        step = epoch if batch is None else self._mk_total_batches_seen
        step = max(step, self._mk_next_step)
        target = os.path.join(self.directory, str(step))
        skipped = (False, "Nothing is saved.")
        if self._mk_is_worth_saving(epoch, logs, target, skipped):
            self._mk_save_checkpoint(step)
            if not self.save_on_background:
                self._mk_print_saved(epoch, target)

    def _mk_save_checkpoint(self, step):
        """Write a step.

        Args:
            step: its number.
        """
        parts = orbax_folder.parts(self.model, self.save_weights_only)
        self.checkpointer.save_checkpointables_async(step, parts, force=True)
        if not self.save_on_background:
            self.wait_until_finished()
        self._mk_next_step = step + 1

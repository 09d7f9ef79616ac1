"""ModelCheckpoint: saves the model while it trains."""

import os

from minikeras.callbacks.checkpoint_callback import CheckpointCallback
from minikeras.saving import orbax_folder

_MODELS = (".keras", ".h5", ".hdf5", ".orbax")
_WEIGHTS = (".weights.h5", ".weights.json", ".safetensors", ".orbax")
_SHARD_GIB = 5


class ModelCheckpoint(CheckpointCallback):
    """Saves the model, or its weights, after epochs or after a number of batches.

    The ending of the path chooses the format. A file is complete or the old one, also
    when the process is killed while it saves.

    Args:
        filepath: path that ends in `.keras`, or in `.h5` or `.hdf5` for the format of
            older versions; for weights in `.weights.h5`, `.safetensors`, or
            `.weights.json` for files of at most 5 GiB each. `.orbax` is a folder of
            checkpoints of Orbax, of which the last stays, for both. The path may
            contain names in braces, `"{epoch:02d}-{val_loss:.2f}.keras"`: `epoch` and
            `batch`, counted from 1, and the names in `logs`.
        monitor: name of the metric in the logs.
        verbose: 1 prints when a file is saved.
        save_best_only: True saves only when the metric has its best value so far. If
            the logs lack it, the model is saved with a warning.
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
        ValueError: the path has another ending, or `save_freq` another type; by `fit`,
            if `save_best_only` is to watch a metric of unknown direction.

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
        super().__init__(
            monitor, verbose, save_best_only, mode, save_freq, initial_value_threshold
        )
        self.filepath = os.fspath(filepath)
        self.save_weights_only = save_weights_only
        self._mk_check_ending()

    def _mk_check_ending(self):
        """Raise ValueError unless the path ends as its kind of file does."""
        endings = _WEIGHTS if self.save_weights_only else _MODELS
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint: with save_weights_only={self.save_weights_only}, "
                f"filepath must end in {' or '.join(map(repr, endings))}; got "
                f"{self.filepath!r}. Change the ending or `save_weights_only`."
            )
        if self.filepath.endswith(".orbax"):
            orbax_folder.check_installed()

    def on_epoch_end(self, epoch, logs=None):
        # A method of this class alone: `legacy` gives it the argument `period`.
        super().on_epoch_end(epoch, logs)

    def _save_model(self, epoch, batch, logs):
        """Save the model, unless `save_best_only` says no."""
        filepath = self._get_file_path(epoch, batch, logs)
        if not self._should_save_model(epoch, batch, logs, filepath):
            return
        if folder := os.path.dirname(filepath):
            os.makedirs(folder, exist_ok=True)
        if filepath.endswith(".orbax"):
            orbax_folder.replace(self.model, filepath, self.save_weights_only)
            return self._mk_print_saved(epoch, filepath)
        if os.path.isdir(filepath):
            raise OSError(
                f"ModelCheckpoint: {filepath!r} is a folder; expected the path of a "
                "file. Remove the folder or change `filepath`."
            )
        if filepath.endswith(".weights.json"):
            self.model.save_weights(filepath, True, max_shard_size=_SHARD_GIB)
        elif self.save_weights_only:
            self.model.save_weights(filepath, overwrite=True)
        else:
            self.model.save(filepath, overwrite=True)
        self._mk_print_saved(epoch, filepath)

    def _should_save_model(self, epoch, batch, logs, filepath):
        """True if the model is to be saved; updates the best value."""
        saved = (True, "Saving the model as it is.")
        return self._mk_is_worth_saving(epoch, logs, filepath, saved)

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

"""BackupAndRestore: an interrupted training goes on where it was."""

import os
import pathlib
from typing import Any

import jax

from minikeras.callbacks.callback import Callback


class BackupAndRestore(Callback):
    """Stores the state of a training, from which the same `fit` call goes on.

    After a crash, a power failure or `kill -9`, the same program continues behind the
    last step that was stored, within an epoch too, and ends with the same bits as an
    undisturbed one: weights, optimizer, random generators (those of layers, the global
    ones of Keras, Python and NumPy), order of the data and position in them, metrics,
    history and callbacks. The folder holds numbers and texts, never code.

    A callback's state is what its `get_state()` returns, for `set_state(state)` to
    take: numbers, strings, arrays, and lists, tuples and dicts of these. Without these
    methods it is each attribute of such a kind that has changed since `on_train_begin`.
    `PyDataset`s and iterables have their states alike; an iterable or iterator with the
    two methods is read on from its own position, others are read again from the begin
    and what the training has seen is dropped. What `get_state` cannot see, such as
    variables of a function, is as in a new process.

    Differs from Keras, which repeats the interrupted epoch with later weights, and
    restores neither generators nor callbacks.

    Args:
        backup_dir: path of the folder, one for each `fit`.
        save_freq: "epoch", or the number of batches between two states. Steps that run
            in a loop on the device are finished first. "auto": after each time in
            which storing took about a hundredth.
        double_checkpoint: bool, whether the state before the last one stays; it is
            used if the last one is damaged.
        delete_checkpoint: bool, whether a complete training deletes the folder. If not,
            the same call returns at once, and one with more epochs goes on.

    Raises:
        ValueError: `backup_dir` is empty, or `save_freq` is something else.
        TypeError: `backup_dir` is no path.

    >>> callback = BackupAndRestore("backup", save_freq=1000)
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError(
                f"Empty `backup_dir` argument passed: {backup_dir!r}; expected the "
                "path of a folder."
            )
        if not isinstance(backup_dir, (str, os.PathLike)):
            raise TypeError(
                "BackupAndRestore, fit(resume=): expected the path of a folder, got "
                f"{backup_dir!r}."
            )
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if not (save_freq in ("epoch", "auto") or is_count and save_freq > 0):
            raise ValueError(
                f"Invalid value for `save_freq`: {save_freq!r}. Expected 'epoch', "
                "'auto' or a number of batches."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq: Any = save_freq
        self.double_checkpoint = bool(double_checkpoint)
        self.delete_checkpoint = bool(delete_checkpoint)
        self._current_epoch, self._last_batch_seen = 0, 0
        folder = pathlib.Path(self.backup_dir)
        # One file has both the weights and what Keras writes to a file of its own.
        self._weights_path = self._training_metadata_path = folder / LATEST
        self._prev_weights_path = folder / PREVIOUS
        self._prev_training_metadata_path = folder / PREVIOUS

    def on_epoch_end(self, epoch, logs=None):
        self._current_epoch = epoch + 1


# The files in the folder.
LATEST, PREVIOUS = "latest.safetensors", "previous.safetensors"


def with_backup(callbacks: Any, folder: Any) -> list:
    """Callbacks and a `BackupAndRestore` that keeps the state of a training.

    Args:
        callbacks: a callback, a list of them, or None.
        folder: path of the folder.

    Raises:
        ValueError: there is one among them, or they are a `CallbackList`.
    """
    found = jax.tree_util.tree_leaves(callbacks)
    if any(isinstance(c, BackupAndRestore) or hasattr(c, "callbacks") for c in found):
        raise ValueError(
            f"fit(resume={folder!r}) adds a BackupAndRestore to a list of callbacks; "
            "expected no other one, and no CallbackList. Leave out `resume`."
        )
    return [*found, BackupAndRestore(folder, "auto", delete_checkpoint=False)]

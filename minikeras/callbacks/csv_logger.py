"""One line of a CSV file an epoch."""

import csv
import os
from typing import Any

import numpy as np

from minikeras.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the logs of every epoch to a file of separated values.

    The columns are `epoch` and the names known after the first epoch, sorted; their
    `val_` companions too, for validation that comes later. What an epoch does not know
    is `NA`.

    Args:
        filename: the file.
        separator: what stands between two values.
        append: go on with an existing file instead of replacing it.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys = None
        self.writer = None
        self.csv_file: Any = None
        self.append_header = True

    def on_train_begin(self, logs=None):
        if self.append:
            exists = os.path.exists(self.filename)
            self.append_header = not exists or os.path.getsize(self.filename) == 0
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")
        self.writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.keys is None:
            names = set(logs)
            if not any(name.startswith("val_") for name in names):
                names |= {f"val_{name}" for name in names}
            self.keys = sorted(names)
        if self.writer is None:
            self.writer = csv.DictWriter(
                self.csv_file, ["epoch", *self.keys], delimiter=self.sep
            )
            if self.append_header:
                self.writer.writeheader()
        row = {name: _text(logs[name]) if name in logs else "NA" for name in self.keys}
        self.writer.writerow({"epoch": epoch, **row})
        self.csv_file.flush()

    def on_train_end(self, logs=None):
        self.csv_file.close()
        self.writer = None


def _text(value):
    """Numbers and words as they are; a list as one quoted field."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, np.asarray(value).tolist()))}]"'

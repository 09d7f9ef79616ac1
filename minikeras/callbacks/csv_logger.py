"""CSVLogger: a line of a CSV file for each epoch."""

import csv
import os
from typing import Any

import numpy as np

from minikeras.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the logs of each epoch to a CSV file.

    The columns are `epoch` and the sorted names in the logs of the first epoch. If none
    of them starts with `val_`, there is also a column `val_<name>` for each, for
    validation in later epochs. Values that an epoch does not have are `NA`.

    Args:
        filename: path of the file.
        separator: string between two values.
        append: True appends to an existing file instead of replacing it.
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
        self._mk_size = 0  # bytes of the file up to the last epoch

    def on_train_begin(self, logs=None):
        if self.append:
            exists = os.path.exists(self.filename)
            self.append_header = not exists or os.path.getsize(self.filename) == 0
        # A training that goes on knows how much was written when its state was stored;
        # what comes behind that is written again.
        resumed = (self.params or {}).get("resumed", False)
        mode = "a" if self.append or resumed else "w"
        self.csv_file = open(self.filename, mode, newline="")
        self._mk_size = 0 if resumed and not self.append else self.csv_file.tell()
        self.writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.keys is None:
            names = set(logs)
            if not any(name.startswith("val_") for name in names):
                names |= {f"val_{name}" for name in names}
            self.keys = sorted(names)
        if self.writer is None:
            self.csv_file.truncate(self._mk_size)
            self.csv_file.seek(self._mk_size)
            self.writer = csv.DictWriter(
                self.csv_file, ["epoch", *self.keys], delimiter=self.sep
            )
            if self._mk_size == 0 and self.append_header:
                self.writer.writeheader()
        row = {
            name: _csv_field(logs[name]) if name in logs else "NA" for name in self.keys
        }
        self.writer.writerow({"epoch": epoch, **row})
        self.csv_file.flush()  # a killed training leaves all its epochs in the file
        self._mk_size = self.csv_file.tell()

    def on_train_end(self, logs=None):
        self.csv_file.close()
        self.writer = None


def _csv_field(value):
    """The value; a list of values as one quoted field."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, np.asarray(value).tolist()))}]"'

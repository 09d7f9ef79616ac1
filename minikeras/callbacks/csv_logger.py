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

    def on_train_begin(self, logs=None):
        if self.append:
            exists = os.path.exists(self.filename)
            self.append_header = not exists or os.path.getsize(self.filename) == 0
        # Of a training that goes on, `set_state` says which lines stay.
        goes_on = self.append or (self.params or {}).get("resumed", False)
        self.csv_file = open(self.filename, "a" if goes_on else "w", newline="")
        self.writer = None

    def get_state(self):
        """The columns, and the size of the file, in bytes."""
        self.csv_file.flush()
        return {"keys": self.keys, "size": self.csv_file.tell()}

    def set_state(self, state):
        """Go on behind what was written when the state was told.

        Args:
            state: what `get_state` returned.
        """
        self.keys = state["keys"]
        self.csv_file.truncate(min(state["size"], self.csv_file.tell()))
        self.csv_file.seek(0, os.SEEK_END)
        self.append_header = self.csv_file.tell() == 0

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
        row = {
            name: _csv_field(logs[name]) if name in logs else "NA" for name in self.keys
        }
        self.writer.writerow({"epoch": epoch, **row})
        self.csv_file.flush()  # a killed training leaves all its epochs in the file

    def on_train_end(self, logs=None):
        self.csv_file.close()
        self.writer = None


def _csv_field(value):
    """The value; a list of values as one quoted field."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, np.asarray(value).tolist()))}]"'

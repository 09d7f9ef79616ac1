"""RunFolder: the files from which an interrupted training goes on.

One file has everything: arrays in the safetensors format, the rest as JSON among its
metadata. It replaces the one before when it is complete and on the disk. Nothing in it
is code, so that reading it runs none.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import time
import warnings
from typing import Any

import jax
import numpy as np

from minikeras.callbacks.backup_and_restore import LATEST, PREVIOUS
from minikeras.saving import errors, safety
from minikeras.saving.safetensors_file import read_array, read_header, write_arrays

_LOCK = "in-use"
_VERSION = "1"


class RunFolder:
    """Writes and reads the states of a training, one after the other.

    Args:
        path: path of the folder, which is made when something is written.
        keeps_previous: bool, whether the state before the last one stays.
    """

    def __init__(self, path: str | os.PathLike, keeps_previous: bool = False):
        self.path = pathlib.Path(path).absolute()  # a callback may change the folder
        self.latest, self.previous = self.path / LATEST, self.path / PREVIOUS
        self._keeps_previous = keeps_previous
        self._lock: Any = None  # a file: it is closed with the last reference to it
        self._writing: concurrent.futures.Future | None = None
        self._executor = concurrent.futures.ThreadPoolExecutor(1, "run folder")
        self.seconds = 0.0  # that the last write took

    def __enter__(self):
        """Take the folder for this process.

        Raises:
            RuntimeError: another training uses it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            error.add_note(
                "`resume` and `backup_dir` name a folder, which is made if it is not "
                "there, for the state of the training."
            )
            raise
        with contextlib.suppress(ImportError):  # Windows
            import fcntl

            self._lock = lock = open(self.path / _LOCK, "a+b")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                raise RuntimeError(
                    f"{str(self.path)!r} is in use: another training writes its state "
                    "there. Give each training a folder of its own."
                ) from None
            except OSError:  # a network drive without locks
                pass
        return self

    def __exit__(self, *_):
        """Wait for the last write, and give the folder back."""
        try:
            self.wait()
        finally:
            self._executor.shutdown()
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    @property
    def is_writing(self) -> bool:
        """Is a state on its way to the disk?"""
        return self._writing is not None and not self._writing.done()

    def write(self, packed: Any) -> None:
        """Begin to write a state, in a thread; the one before is complete first.

        Args:
            packed: packed data of `core.plain_state`, which nobody changes.
        """
        self.wait()
        self._writing = self._executor.submit(self._write, packed)

    def wait(self) -> None:
        """Wait until the last state is on the disk; warn if it did not get there."""
        writing, self._writing = self._writing, None
        try:
            if writing is not None:
                writing.result()
        except Exception as error:
            warnings.warn(
                f"The state of the training could not be written to {str(self.path)!r}"
                f" ({error}). The training goes on; a restart would begin at the last "
                "state that was.",
                stacklevel=2,
            )

    def _write(self, packed):
        start, arrays = time.perf_counter(), []
        text = json.dumps(_without_arrays(packed, arrays))
        named = {f"{i:06d}": array for i, array in enumerate(arrays)}
        if self._keeps_previous and self.latest.exists():
            os.replace(self.latest, self.previous)
        write_arrays(self.latest, named, {"run_version": _VERSION, "run": text})
        self.seconds = time.perf_counter() - start

    def read(self) -> Any:
        """The last state that is complete, packed; None if there is none.

        Raises:
            FileError: all files are damaged, or of another version.
        """
        fault = None
        for path in (self.latest, self.previous):
            if not path.exists():
                continue
            try:
                return _read(path)
            except errors.FileError as error:
                fault = fault or error
        if fault is not None:
            fault.remedy = "Delete the folder to train from the start."
            raise fault
        return None

    def delete(self) -> None:
        """Delete the files, and the folder if nothing else is in it."""
        self.wait()
        for path in (self.latest, self.previous, self.path / _LOCK):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()


def _read(path):
    with errors.reading(path), safety.open_regular(path) as file:
        entries, metadata = read_header(file)
        if metadata.get("run_version") != _VERSION:
            version = metadata.get("run_version")
            raise errors.FileError(f"It has version {version!r}, not {_VERSION!r}.")
        return _with_arrays(
            safety.parse_json(metadata["run"].encode(), "the state"),
            lambda name: read_array(file, entries[name]),
        )


def _without_arrays(packed, found):
    """Packed data with the numbers of the arrays in their place."""
    if isinstance(packed, (np.ndarray, np.generic, jax.Array)):
        found.append(np.asarray(packed))
        return {"kind": "stored", "name": f"{len(found) - 1:06d}"}
    if isinstance(packed, list):
        return [_without_arrays(x, found) for x in packed]
    if isinstance(packed, dict):
        return {key: _without_arrays(x, found) for key, x in packed.items()}
    return packed


def _with_arrays(stored, read):
    if isinstance(stored, list):
        return [_with_arrays(x, read) for x in stored]
    if not isinstance(stored, dict):
        return stored
    if stored.get("kind") == "stored":
        return read(stored["name"])
    return {key: _with_arrays(x, read) for key, x in stored.items()}

"""The program of a worker process, which returns batches of a `PyDataset`.

`worker_pool.py` starts it by its file name. It reads pickles from standard input: first
how to set itself up, then data sets and indices of batches. It answers each by a pickle
`(succeeded, result or exception)`, and ends when its input ends.

JAX and the rest of minikeras are imported only if the user's code does so: with JAX, a
process starts a second later, takes 200 MB more, and may take memory of the GPU.
"""

import importlib.util
import multiprocessing.process
import multiprocessing.spawn
import os
import pathlib
import pickle
import signal
import sys
import traceback
import types
from typing import BinaryIO

# The names that a data set needs of minikeras, and the module that defines them.
_DATA_SET_NAMES = {"PyDataset": "PyDataset", "Sequence": "PyDataset"}
_DATA_SET_MODULE = "minikeras.data.pydataset"


class _LazyPackage(types.ModuleType):
    """A package whose `__init__` runs only for names outside of `_DATA_SET_NAMES`."""

    def __getattr__(self, name):
        if name in _DATA_SET_NAMES:
            return getattr(
                importlib.import_module(_DATA_SET_MODULE), _DATA_SET_NAMES[name]
            )
        if name.startswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(f"module {self.__name__!r} has no {name!r}")
        self.__class__ = types.ModuleType
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def import_minikeras_lazily() -> None:
    """Make `import minikeras`, and the import of `PyDataset`, load nothing else."""
    root = pathlib.Path(__file__).resolve().parents[1]
    for name in ("minikeras", "minikeras.data", "minikeras.utils"):
        folder = root.joinpath(*name.split(".")[1:])
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        package = importlib.util.module_from_spec(spec)
        package.__class__ = _LazyPackage
        sys.modules[name] = package
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], own, package)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the input ends."""
    state = types.SimpleNamespace(dataset=None)
    steps = {"set up": _set_up, "data set": _receive, "batch": _fetch}
    while True:
        try:
            step = pickle.load(requests)
        except EOFError:
            return
        try:
            text = pickle.dumps((True, steps[step](state, pickle.load(requests))), 5)
            in_sync = True
        except Exception as error:
            text = _failure(error)
            in_sync = step == "batch"
        answers.write(text)
        answers.flush()
        while not in_sync and requests.read(1 << 16):
            pass  # drops the rest of an unreadable message until the parent ends it


def _set_up(state, preparation):
    """Set paths, folder and main module, as `multiprocessing` does after a spawn."""
    process = multiprocessing.process.current_process()
    # multiprocessing raises its helpful error if the main module lacks the guard and
    # starts processes while this is True.
    process._inheriting = True
    try:
        multiprocessing.spawn.prepare(preparation)
    finally:
        del process._inheriting


def _receive(state, dataset):
    """Keep a copy of the data set."""
    state.dataset = dataset


def _fetch(state, index):
    """Return a batch of the data set."""
    return state.dataset[index]


def _failure(error):
    """The answer for an exception; RuntimeError for one that cannot be pickled."""
    error.add_note(f"In the worker process:\n{traceback.format_exc()}")
    try:
        text = pickle.dumps((False, error), 5)
        pickle.loads(text)
        return text
    except Exception:
        replacement = RuntimeError(f"{type(error).__name__}: {error}")
        replacement.__notes__ = error.__notes__
        return pickle.dumps((False, replacement), 5)


def main() -> None:
    """Serve the parent on stdin and stdout; the user's prints go to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    import_minikeras_lazily()
    serve(requests, answers)


if __name__ == "__main__":
    main()

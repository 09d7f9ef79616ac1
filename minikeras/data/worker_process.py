"""The program of a worker process: the batches of a `PyDataset`, by number.

Started by `worker_pool.py`, by file name. It reads pickles from its standard input:
first how to set itself up, then data sets and numbers. It answers each by a pickle
`(whether it went well, result or exception)`. It ends when its input does.

Neither JAX nor the rest of minikeras is loaded here, unless the user's code does it:
a process with JAX in it takes a second and 200 MB more, and may reach for the GPU.
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

# What of minikeras a data set needs, and the file that has it.
_LIGHT = {"PyDataset": "PyDataset", "Sequence": "PyDataset"}
_LIGHT_FILE = "minikeras.data.pydataset"


class _LazyPackage(types.ModuleType):
    """A package whose `__init__` runs when more than `_LIGHT` is asked of it."""

    def __getattr__(self, name):
        if name in _LIGHT:
            return getattr(importlib.import_module(_LIGHT_FILE), _LIGHT[name])
        if name.startswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(f"module {self.__name__!r} has no {name!r}")
        self.__class__ = types.ModuleType
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def postpone_minikeras():
    """Let `import minikeras`, and what gives `PyDataset`, load nothing yet."""
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


def serve(requests, answers):
    """Answer requests until there are no more."""
    state = types.SimpleNamespace(dataset=None)
    steps = {"set up": _set_up, "data set": _receive, "batch": _fetch}
    while True:
        try:
            step = pickle.load(requests)
        except EOFError:
            return
        try:
            text = pickle.dumps((True, steps[step](state, pickle.load(requests))), 5)
            in_step = True
        except Exception as error:
            text = _failure(error)
            in_step = step == "batch"
        answers.write(text)
        answers.flush()
        while not in_step and requests.read(1 << 16):
            pass  # the rest of a message that cannot be read, until the parent ends it


def _set_up(state, preparation):
    """What `multiprocessing` does in a spawned process: path, folder, main module."""
    process = multiprocessing.process.current_process()
    process._inheriting = True  # a main module without its guard is told so
    try:
        multiprocessing.spawn.prepare(preparation)
    finally:
        del process._inheriting


def _receive(state, dataset):
    state.dataset = dataset


def _fetch(state, index):
    return state.dataset[index]


def _failure(error):
    error.add_note(f"In the worker process:\n{traceback.format_exc()}")
    try:
        text = pickle.dumps((False, error), 5)
        pickle.loads(text)
        return text
    except Exception:  # an exception that cannot travel
        stand_in = RuntimeError(f"{type(error).__name__}: {error}")
        stand_in.__notes__ = error.__notes__
        return pickle.dumps((False, stand_in), 5)


def main():
    """Keep the pipes to the parent; what user code prints goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to judge
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    postpone_minikeras()
    serve(requests, answers)


if __name__ == "__main__":
    main()

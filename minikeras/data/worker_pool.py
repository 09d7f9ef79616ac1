"""Fetch the batches of a `PyDataset` ahead, in order, by threads or processes."""

import collections
import contextlib
import multiprocessing.spawn
import os
import pathlib
import pickle
import subprocess
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

from minikeras.data.pydataset import PyDataset


class WorkerPool:
    """Threads that fetch batches; with `use_multiprocessing`, each has a process.

    It starts when first used. It ends by `close`, with the object, or when a reader
    of `map` stops early; used again, it starts again.
    """

    def __init__(self, dataset):
        self._dataset = dataset
        self._executor = None

    def map(self, indices):
        """Batches in the order of the indices, up to `max_queue_size` made ahead."""
        dataset = self._dataset
        if self._executor is None:
            self._start()
        elif _has_hooks(dataset):
            self._fetch.renew()
        ahead = max(dataset.max_queue_size, dataset.workers)
        pending = collections.deque()
        try:
            for index in indices:
                pending.append(self._executor.submit(self._fetch, index))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BaseException:  # GeneratorExit too: the reader has stopped early
            self.close()
            raise

    def _start(self):
        kind = _ByProcess if self._dataset.use_multiprocessing else _ByThread
        self._fetch = kind(self._dataset)
        self._executor = ThreadPoolExecutor(self._dataset.workers, "PyDataset")
        self._end = weakref.finalize(self, _end, self._executor, self._fetch)

    def close(self):
        """End the threads, when they have done what they are at, and the processes."""
        if self._executor is not None:
            self._executor = None
            self._end()


def _end(executor, fetch):
    executor.shutdown(wait=False, cancel_futures=True)
    fetch.end()
    executor.shutdown()


def _has_hooks(dataset):
    """Whether an epoch may change the data set, of which processes have copies."""
    kind = type(dataset)
    hooks = kind.on_epoch_begin, kind.on_epoch_end
    return hooks != (PyDataset.on_epoch_begin, PyDataset.on_epoch_end)


def get_batch(dataset, index, by=None):
    """`dataset[index]`, or `by(index)` in its stead; an error says which it was."""
    try:
        return by(index) if by is not None else dataset[index]
    except Exception as error:
        error.add_note(f"Raised by {type(dataset).__name__}.__getitem__({index}).")
        raise


class _ByThread:
    """Fetches a batch in the calling thread."""

    def __init__(self, dataset):
        self._dataset = dataset

    def __call__(self, index):
        return get_batch(self._dataset, index)

    def renew(self):
        """Threads see the data set itself."""

    def end(self):
        """Nothing to end."""


class _ByProcess:
    """Fetches a batch in the process of the calling thread; see `worker_process.py`."""

    def __init__(self, dataset):
        self._dataset = dataset
        self._version = 0
        self._lock = threading.Lock()
        self._processes = {}  # by thread
        self._ended = False

    def __call__(self, index):
        return get_batch(self._dataset, index, by=self._ask)

    def _ask(self, index):
        process = self._process()
        if process.version is None:
            process.ask("set up", _preparation())
        if process.version != self._version:
            process.version = self._version
            process.ask("data set", self._dataset)
        return process.ask("batch", index)

    def _process(self):
        thread = threading.get_ident()
        with self._lock:
            if self._ended:
                raise RuntimeError("The worker processes have been ended.")
            if thread not in self._processes:
                self._processes[thread] = _Process()
            return self._processes[thread]

    def renew(self):
        """Before they go on, processes get a fresh copy of the data set."""
        self._version += 1

    def end(self):
        """Kill the processes."""
        with self._lock:
            self._ended = True
            for process in self._processes.values():
                process.end()


def _preparation():
    """What a fresh process must know to import what this one has: path, script."""
    preparation = multiprocessing.spawn.get_preparation_data("PyDataset")
    preparation.pop("authkey")  # may not be pickled, and is not needed
    return preparation


class _Process:
    """A worker process and the pipes to it."""

    version = None  # of the data set it has

    def __init__(self):
        program = pathlib.Path(__file__).with_name("worker_process.py")
        self._process = subprocess.Popen(
            [multiprocessing.spawn.get_executable(), "-P", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Should the user's code load JAX there: the accelerator is the parent's.
            env=os.environ | {"JAX_PLATFORMS": "cpu"},
        )

    def ask(self, step, content):
        """Let the process take a step; returns or raises what it answers."""
        try:
            for part in (step, content):
                pickle.dump(part, self._process.stdin, 5)
            self._process.stdin.flush()
            good, answer = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise RuntimeError(self._epitaph()) from None
        except BaseException as error:  # half a message has been sent
            self.end()
            error.add_note(_REMEDY)
            raise
        if good:
            return answer
        if step != "batch":
            self.end()
            answer.add_note(_REMEDY)
        raise answer

    def _epitaph(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self.end()
        return (
            "A worker process ended abruptly, with exit status "
            f"{self._process.returncode} (below 0: the signal that killed it; -9 is "
            "often for want of memory). Expected that it lives as long as the data "
            "set is read. Try fewer workers, or threads: use_multiprocessing=False."
        )

    def end(self):
        """Kill it, if it lives."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()


_REMEDY = (
    "A worker process starts afresh: the data set must be picklable, its class "
    "importable (not made in a notebook or a function), and the main part of the "
    "script guarded by `if __name__ == '__main__':`."
)

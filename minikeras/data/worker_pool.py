"""WorkerPool: threads or processes that fetch batches of a `PyDataset` ahead."""

import collections
import contextlib
import multiprocessing.spawn
import os
import pathlib
import pickle
import subprocess
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from minikeras.data.pydataset import PyDataset


class WorkerPool:
    """Threads that fetch batches; with `use_multiprocessing`, each has a process.

    The threads start at the first `map`. They end at `close`, when the object is
    deleted, or when a reader of `map` stops early. The next `map` starts new ones.
    """

    def __init__(self, dataset: PyDataset):
        self._dataset = dataset
        self._executor = None

    def map(self, indices: Iterable[int]) -> Iterator:
        """Generate the batches of these indices, up to `max_queue_size` ahead."""
        dataset = self._dataset
        if self._executor is None:
            self._start()
        elif _overrides_epoch_hooks(dataset):
            self._fetch.refresh()
        ahead = max(dataset.max_queue_size, dataset.workers)
        pending = collections.deque()
        try:
            for index in indices:
                pending.append(self._executor.submit(self._fetch, index))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        except BaseException:  # includes GeneratorExit, when the reader stops early
            self.close()
            raise

    def _start(self):
        """Create the threads and the object that they call."""
        kind = ProcessFetcher if self._dataset.use_multiprocessing else _ThreadFetcher
        self._fetch = kind(self._dataset)
        self._executor = ThreadPoolExecutor(self._dataset.workers, "PyDataset")
        self._shut_down = weakref.finalize(
            self, _shut_down, self._executor, self._fetch
        )

    def close(self) -> None:
        """End the threads, after the batches that they fetch now, and the processes."""
        if self._executor is not None:
            self._executor = None
            self._shut_down()


def _shut_down(executor, fetch):
    """End threads and processes.

    Processes are killed between the two calls: a thread that waits for its process
    would make the second one wait for a whole batch.
    """
    executor.shutdown(wait=False, cancel_futures=True)
    fetch.end()
    executor.shutdown()


def _overrides_epoch_hooks(dataset):
    """True if hooks may change the data set, of which processes have copies."""
    cls = type(dataset)
    hooks = cls.on_epoch_begin, cls.on_epoch_end
    return hooks != (PyDataset.on_epoch_begin, PyDataset.on_epoch_end)


def get_batch(
    dataset: PyDataset, index: int, fetch: Callable[[int], Any] | None = None
) -> Any:
    """Return `dataset[index]`, by `fetch(index)` if given; errors name the index."""
    try:
        return fetch(index) if fetch is not None else dataset[index]
    except Exception as error:
        error.add_note(f"Raised by {type(dataset).__name__}.__getitem__({index}).")
        raise


class _ThreadFetcher:
    """Fetches a batch in the calling thread."""

    def __init__(self, dataset):
        self._dataset = dataset

    def __call__(self, index):
        return get_batch(self._dataset, index)

    def refresh(self):
        """Do nothing: threads share the data set."""

    def end(self):
        """Do nothing: there is no process."""


class ProcessFetcher:
    """Fetches a batch in the process of the calling thread, by `worker_process.py`."""

    def __init__(self, dataset):
        self._dataset = dataset
        self._version = 0
        self._lock = threading.Lock()
        self._processes = {}  # {id of a thread: _Process}
        self._ended = False

    def __call__(self, index):
        return get_batch(self._dataset, index, fetch=self._request)

    def _request(self, index):
        """Ask the process for a batch; first send it what it lacks."""
        process = self._process()
        if process.version is None:
            process.ask("set up", _preparation_data())
        if process.version != self._version:
            process.version = self._version
            process.ask("data set", self._dataset)
        return process.ask("batch", index)

    def _process(self):
        """The process of the calling thread; it is started at the first call."""
        thread = threading.get_ident()
        with self._lock:
            if self._ended:
                raise RuntimeError("The worker processes have been ended.")
            if thread not in self._processes:
                self._processes[thread] = _Process()
            return self._processes[thread]

    def refresh(self):
        """Let each process get a new copy of the data set before its next batch."""
        self._version += 1

    def end(self):
        """Kill the processes."""
        with self._lock:
            self._ended = True
            for process in self._processes.values():
                process.end()


def _preparation_data():
    """What a new process needs to import the same modules: paths and main script."""
    preparation = multiprocessing.spawn.get_preparation_data("PyDataset")
    preparation.pop("authkey")  # cannot be pickled, and is not needed
    return preparation


class _Process:
    """A worker process and the pipes to it."""

    version = None  # of the copy of the data set that the process has

    def __init__(self):
        program = pathlib.Path(__file__).with_name("worker_process.py")
        self._process = subprocess.Popen(
            [multiprocessing.spawn.get_executable(), "-P", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # If the user's code imports JAX there, it must not take the accelerator.
            env=os.environ | {"JAX_PLATFORMS": "cpu"},
        )

    def ask(self, step: str, content: Any) -> Any:
        """Send a request to the process; return or raise what it answers."""
        try:
            for part in (step, content):
                pickle.dump(part, self._process.stdin, 5)
            self._process.stdin.flush()
            succeeded, answer = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise RuntimeError(self._exit_message()) from None
        except BaseException as error:  # part of a message may have been sent
            self.end()
            error.add_note(_WORKER_REQUIREMENTS)
            raise
        if succeeded:
            return answer
        if step != "batch":
            self.end()
            answer.add_note(_WORKER_REQUIREMENTS)
        raise answer

    def _exit_message(self):
        """End the process, and describe how it ended."""
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
        """Kill the process, if it runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()


_WORKER_REQUIREMENTS = (
    "A worker process starts afresh: the data set must be picklable, its class "
    "importable (not made in a notebook or a function), and the main part of the "
    "script guarded by `if __name__ == '__main__':`."
)

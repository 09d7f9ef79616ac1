"""Fetch the batches of a `PyDataset` ahead, in order, by threads or processes."""

import collections
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

_dataset: Any = None  # a worker process's own copy


def _receive(dataset):
    global _dataset
    _dataset = dataset


def _fetch(index):
    return _dataset[index]


class WorkerPool:
    """A pool that lives as long as its adapter; it starts at the first epoch."""

    def __init__(self, dataset):
        self._dataset = dataset
        self._executor = None

    def map(self, function, indices):
        """Like `map`, but up to `max_queue_size` results are made ahead."""
        if self._dataset.use_multiprocessing:
            function = _fetch
        executor = self._start()
        ahead = max(self._dataset.max_queue_size, self._dataset.workers)
        pending = collections.deque()
        try:
            for index in indices:
                pending.append(executor.submit(function, index))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def _start(self):
        if self._executor is not None and not self._is_stale():
            return self._executor
        workers = self._dataset.workers
        if not self._dataset.use_multiprocessing:
            self._executor = ThreadPoolExecutor(workers, "PyDataset")
            return self._executor
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        import multiprocessing

        self._executor = ProcessPoolExecutor(
            workers,
            # A forked child of a process that has used JAX can deadlock.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_receive,
            initargs=(self._dataset,),
        )
        return self._executor

    def _is_stale(self):
        """Whether processes hold a copy that the epoch hooks may have outdated."""
        from minikeras.data.pydataset import PyDataset

        kind = type(self._dataset)
        return self._dataset.use_multiprocessing and (
            kind.on_epoch_begin is not PyDataset.on_epoch_begin
            or kind.on_epoch_end is not PyDataset.on_epoch_end
        )

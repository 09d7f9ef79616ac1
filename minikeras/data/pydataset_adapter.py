"""Batches from a `PyDataset`, in order or shuffled, fetched ahead by workers."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

from minikeras.core.plain_state import StateOf
from minikeras.data.adapter import Adapter, reject_arguments
from minikeras.data.batches import to_batch
from minikeras.data.pydataset import PyDataset
from minikeras.data.weights import add_class_weights
from minikeras.data.worker_pool import WorkerPool, get_batch


class PyDatasetAdapter(Adapter):
    """Batches from a `PyDataset`.

    Args:
        dataset: the data set.
        shuffle: bool, whether to shuffle the order of the batches in each epoch.
        class_weight: {class number: weight}, for batches `(x, y)`.
    """

    description = "PyDataset"

    def __init__(
        self,
        dataset: PyDataset,
        shuffle: bool | str | None = False,
        class_weight: dict | None = None,
    ):
        self.dataset = dataset
        self.shuffle = bool(shuffle)
        self.class_weight = class_weight
        ahead = dataset.workers > (0 if dataset.use_multiprocessing else 1)
        self._pool = WorkerPool(dataset) if ahead else None
        self.passes.leaves_out, self.passes.runs_ahead = True, ahead

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a `PyDataset`."""
        return isinstance(x, PyDataset)

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> Adapter:
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        class_weight = others.pop("class_weight")
        reject_arguments(cls.description, **others)
        return cls(x, shuffle, class_weight)

    def record_passes(self) -> None:
        self.passes.record(StateOf(self.dataset))

    @property
    def num_batches(self) -> int | None:
        return self.dataset.num_batches

    def on_epoch_begin(self) -> None:
        self.dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.dataset.on_epoch_end()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()

    def _batches(self) -> Iterator:
        if self._pool is not None:
            batches = self._pool.map(self._order())
        else:
            batches = (get_batch(self.dataset, index) for index in self._order())
        for batch in batches:
            yield add_class_weights(self._to_batch_tuple(batch), self.class_weight)

    def peek(self) -> Any:
        """Return the first batch, fetched in this thread, without a worker."""
        pool, self._pool = self._pool, None
        try:
            return super().peek()
        finally:
            self._pool = pool

    def _order(self):
        """Draw the order of the batches of one epoch."""
        count, given = self.num_batches, self.passes.given
        if count is None:
            return itertools.count(given)
        order = list(range(count))
        if self.shuffle:
            self.passes.draw(lambda: random.shuffle(order))
        return order[given:]

    def _to_batch_tuple(self, batch):
        """Convert a batch to arrays; `x` alone becomes `(x,)`."""
        batch = to_batch(batch)
        return batch if isinstance(batch, (tuple, dict)) else (batch,)

"""Batches from a `PyDataset`, in order or mixed, fetched ahead by workers."""

import itertools
import random

from minikeras.data.adapter import Adapter, refuse
from minikeras.data.batches import to_batch
from minikeras.data.pydataset import PyDataset
from minikeras.data.weights import weighted
from minikeras.data.worker_pool import WorkerPool, get_batch


class PyDatasetAdapter(Adapter):
    """Batches from a `PyDataset`.

    Args:
        dataset: the data set.
        shuffle: whether to mix the order of the batches anew each epoch.
        class_weight: dict from class number to weight, for batches `(x, y)`.
    """

    what = "PyDataset"

    def __init__(self, dataset, shuffle=False, class_weight=None):
        self.dataset = dataset
        self.shuffle = bool(shuffle)
        self.class_weight = class_weight
        ahead = dataset.workers > (0 if dataset.use_multiprocessing else 1)
        self._pool = WorkerPool(dataset) if ahead else None

    @staticmethod
    def takes(x):
        """A `PyDataset`."""
        return isinstance(x, PyDataset)

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """See `get_adapter`."""
        class_weight = beside.pop("class_weight")
        refuse(cls.what, **beside)
        return cls(x, shuffle, class_weight)

    @property
    def num_batches(self):
        return self.dataset.num_batches

    def on_epoch_begin(self):
        self.dataset.on_epoch_begin()

    def on_epoch_end(self):
        self.dataset.on_epoch_end()

    def close(self):
        if self._pool is not None:
            self._pool.close()

    def _batches(self):
        if self._pool is not None:
            batches = self._pool.map(self._order())
        else:
            batches = (get_batch(self.dataset, index) for index in self._order())
        for batch in batches:
            yield weighted(self._in_form(batch), self.class_weight)

    def peek(self):
        """The first batch, fetched in this thread: no worker is started for it."""
        pool, self._pool = self._pool, None
        try:
            return super().peek()
        finally:
            self._pool = pool

    def _order(self):
        count = self.num_batches
        if count is None:
            return itertools.count()
        order = list(range(count))
        if self.shuffle:
            random.shuffle(order)
        return order

    def _in_form(self, batch):
        batch = to_batch(batch)
        return batch if isinstance(batch, (tuple, dict)) else (batch,)

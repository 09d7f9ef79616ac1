"""`PyDataset`: batches by number, fetched ahead by threads or processes."""

import itertools
import random

from minikeras.data.adapter import Adapter, refuse
from minikeras.data.arrays import class_weight_to_sample_weights
from minikeras.data.generators import to_arrays
from minikeras.data.workers import WorkerPool


class PyDataset:
    """Base class of data sets that give a whole batch by its number.

    Define `__getitem__(index)`, which returns `(x, y)`, `(x,)` or
    `(x, y, sample_weight)`, and `__len__` or the property `num_batches`, None for an
    endless data set. `fit` shuffles the order of the batches, with Python's `random`.

    Args:
        workers: threads or processes that fetch batches ahead, in order; 0, or 1
            without processes, fetches in the calling thread.
        use_multiprocessing: use processes. They are started afresh (spawned, which is
            safe beside JAX), so the data set must be picklable and its class
            importable, and the script must guard its main part by
            `if __name__ == "__main__":`.
        max_queue_size: batches fetched ahead at most.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return [[index]], [[index**2]]
    >>> list(Squares())[2]
    ([[2]], [[4]])
    """

    # On the class: subclasses that never call super().__init__() work too.
    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        """Return batch number `index`, counted from 0."""
        raise NotImplementedError(
            f"{type(self).__name__} must define __getitem__(index), returning the "
            "batch `(x, y)` of that number."
        )

    @property
    def num_batches(self):
        """Batches an epoch; None for an endless data set."""
        if hasattr(self, "__len__"):
            return len(self)  # pyright: ignore[reportArgumentType]
        raise NotImplementedError(
            f"{type(self).__name__} must define __len__ or the property num_batches "
            "(None for an endless data set)."
        )

    def __iter__(self):
        try:
            count = self.num_batches
        except NotImplementedError:
            count = None
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self):
        """Called before each epoch."""

    def on_epoch_end(self):
        """Called after each epoch."""


class PyDatasetAdapter(Adapter):
    """Batches from a `PyDataset`.

    Args:
        dataset: the data set.
        shuffle: whether to mix the order of the batches anew each epoch.
        class_weight: dict from class number to weight, for batches `(x, y)`.
    """

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
        refuse("PyDataset", **beside)
        return cls(x, shuffle, class_weight)

    @property
    def num_batches(self):
        return self.dataset.num_batches

    def on_epoch_begin(self):
        self.dataset.on_epoch_begin()

    def on_epoch_end(self):
        self.dataset.on_epoch_end()

    def __iter__(self):
        order = self._order()
        fetch = map if self._pool is None else self._pool.map
        for batch in fetch(self.dataset.__getitem__, order):
            yield self._standardize(batch)

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

    def _standardize(self, batch):
        if isinstance(batch, list):
            batch = tuple(batch)
        elif not isinstance(batch, (tuple, dict)):
            batch = (batch,)
        batch = to_arrays(batch)
        if self.class_weight is None or len(batch) < 2 or isinstance(batch, dict):
            return batch
        x, y, *weights = batch
        if any(weight is not None for weight in weights):
            raise ValueError(
                "`class_weight` was given and the data set yields sample weights; "
                "expected one of the two. Multiply them inside __getitem__."
            )
        return x, y, class_weight_to_sample_weights(y, self.class_weight)

"""`PyDataset`: batches by number.

A worker process loads this file and, unless the user's code does, nothing else of
minikeras: it must not import JAX.
"""

import itertools


class PyDataset:
    """Base class of data sets that give a whole batch by its number.

    Define `__getitem__(index)`, which returns `(x, y)`, `(x,)` or
    `(x, y, sample_weight)`, and `__len__` or the property `num_batches`, None for an
    endless data set. `fit` shuffles the order of the batches, with Python's `random`.

    Args:
        workers: threads or processes that fetch batches ahead, in order; 0, or 1
            without processes, fetches in the calling thread.
        use_multiprocessing: use processes. They are started afresh (which is safe
            beside JAX), so the data set must be picklable and its class importable,
            and the script must guard its main part by `if __name__ == "__main__":`.
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

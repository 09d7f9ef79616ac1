"""PyDataset: batches by index.

Worker processes load this file alone, not the rest of minikeras. So it must not import
JAX, which would take a second and 200 MB in each process.
"""

import itertools
from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Base class of data sets that return batches by index.

    Subclasses define `__getitem__(index)`, which returns `(x, y)`, `(x,)` or
    `(x, y, sample_weight)`, and `__len__` or the property `num_batches` (None for an
    endless data set). `fit` shuffles the order of the batches by Python's `random`.

    Args:
        workers: number of threads or processes that fetch batches ahead, in order. 0,
            or 1 without processes, fetches in the calling thread.
        use_multiprocessing: bool, whether to use processes. They are spawned, which is
            safe with JAX. So the data set must be picklable, its class importable, and
            the main part of the script guarded by `if __name__ == "__main__":`.
        max_queue_size: maximum number of batches that are fetched ahead.

    >>> class Squares(keras.utils.PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return [[index]], [[index**2]]
    >>> list(Squares())[2]
    ([[2]], [[4]])
    """

    # Class attributes, for subclasses that do not call super().__init__().
    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(
        self,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return the batch with this index, counted from 0."""
        raise NotImplementedError(
            f"{type(self).__name__} must define __getitem__(index), returning the "
            "batch `(x, y)` of that number."
        )

    @property
    def num_batches(self) -> int | None:
        """Number of batches in an epoch; None for an endless data set."""
        if hasattr(self, "__len__"):
            return len(self)  # pyright: ignore[reportArgumentType]
        raise NotImplementedError(
            f"{type(self).__name__} must define __len__ or the property num_batches "
            "(None for an endless data set)."
        )

    def __iter__(self) -> Iterator:
        try:
            count = self.num_batches
        except NotImplementedError:
            count = None
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Do nothing; a subclass may override this hook before each epoch of `fit`."""

    def on_epoch_end(self) -> None:
        """Do nothing; a subclass may override this hook after each epoch of `fit`."""

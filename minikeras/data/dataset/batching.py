"""Verbs of a `Dataset` that join elements to batches, and cut batches."""

from typing import Any, Self

import jax
import numpy as np

from minikeras.core.checks import positive_int
from minikeras.data.dataset.base import (
    UNKNOWN,
    DatasetBase,
    Pipeline,
    map_arrays,
    stages,
)
from minikeras.data.dataset.per_element import threads_of


class Batching(DatasetBase):
    """Mix-in of Dataset: `batch`, `padded_batch`, `unbatch`, `rebatch`."""

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Join consecutive elements to batches.

        Args:
            batch_size: elements of a batch.
            drop_remainder: bool, whether to leave out a last smaller batch.
            num_parallel_calls: how many batches threads make at a time.
            deterministic: not used: the order is always kept.
            name: not used.
        """
        join = stages().stacked
        threads = threads_of(num_parallel_calls)
        return self._batched(join, batch_size, drop_remainder, threads)

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """Join elements of different sizes to batches, filled up at the ends.

        Args:
            batch_size: elements of a batch.
            padded_shapes: tree of shapes to fill up to, like an element; None or -1 in
                a shape, or None instead of a shape or the tree: the largest size.
            padding_values: number, or tree of them; None: 0, and "" for text.
            drop_remainder: bool, whether to leave out a last smaller batch.
            name: not used.
        """

        def join(elements):
            return stages().padded(elements, padded_shapes, padding_values)

        return self._batched(join, batch_size, drop_remainder, 0)

    def _batched(self, join, batch_size, drop_remainder, threads):
        """Join consecutive elements by a function of the list of them."""
        size = positive_int(batch_size, "batch_size")
        count = self._count
        if count > 0:
            count = count // size if drop_remainder else -(-count // size)

        def make(epoch):
            made = self._make(epoch)
            options = {"drop_remainder": bool(drop_remainder), "batch_fn": join}
            if made.rows is not None and join is stages().stacked:
                numbers = made.data.batch(size, **options | {"batch_fn": np.array})
                cut = lambda i: map_arrays(lambda a: a[i], made.rows)  # noqa: E731
                return Pipeline(numbers.map(cut), max(made.threads, threads))
            data = made.whole().data.batch(size, **options)
            return Pipeline(data, max(made.threads, threads))

        return self._derived(make, count)

    def unbatch(self, name: str | None = None) -> Self:
        """Cut the elements into their rows.

        Args:
            name: not used.
        """

        def elements(epoch, batches):
            for batch in batches:
                for i in range(len(jax.tree_util.tree_leaves(batch)[0])):
                    yield map_arrays(lambda a, i=i: a[i, ...], batch)

        return self._through(elements, UNKNOWN)

    def rebatch(
        self, batch_size: int, drop_remainder: bool = False, name: str | None = None
    ) -> Self:
        """Cut the elements into their rows, and join these to batches.

        Args:
            batch_size: rows of a batch.
            drop_remainder: bool, whether to leave out a last smaller batch.
            name: not used.
        """
        return self.unbatch().batch(batch_size, drop_remainder)

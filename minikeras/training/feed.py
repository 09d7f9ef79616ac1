"""Batches for the loop: from the host one by one, or out of arrays on the device."""

import contextlib
import math
import warnings

import jax
import numpy as np

from minikeras import config
from minikeras.core.variable import is_sparse
from minikeras.data.arrays import ArrayAdapter

# A batch up to this many bytes costs more to hand over than to cut out on the device.
_SMALL_BATCH = 1 << 16
# Share of the device's memory that a resident data set may take.
_RESIDENT_BYTES = 1 << 30


class Feed:
    """One source of data for many epochs.

    Args:
        adapter: the source.
        steps: batches an epoch; None: as many as there are.
        group: batches of one execution; an epoch takes whole executions.
        resident: put the data set on the device, where it fits: this pays when it is
            read many times.
    """

    def __init__(self, adapter, steps=None, group=1, resident=False):
        self.adapter = adapter
        limit = config.max_steps_per_epoch()
        self.steps = steps if limit is None else min(steps or limit, limit)
        self.group = group
        self.num_batches = self.steps or adapter.num_batches
        if adapter.num_batches == 0:
            raise ValueError("The data is empty: it holds no samples, no batch.")
        self.batch_size = adapter.batch_size
        self._iterator = None
        self._arrays = None
        self.resident = resident and self.steps is None and _fits(adapter)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """End the threads and processes that the source has started."""
        if hasattr(self._iterator, "close"):
            self._iterator.close()
        self.adapter.close()

    def batches(self):
        """The batches of one epoch, as arrays on the host."""
        if self.steps is None:
            batch = None
            with contextlib.closing(iter(self.adapter)) as iterator:
                for batch in iterator:
                    yield batch
            if batch is None:
                self._ran_out("before the epoch's first batch")
            return
        for seen in range(math.ceil(self.steps / self.group) * self.group):
            batch = self._next()
            if batch is None and seen == 0:  # the last epoch took all there was
                batch = self._next()
            if batch is None:
                self._ran_out(f"after {seen} of {self.steps} batches of the epoch")
                return
            yield batch

    def _ran_out(self, when):
        warnings.warn(
            f"The data ran out {when}. A generator is read only once: let it give "
            "enough batches for all epochs, or pass an object whose `__iter__` starts "
            "anew.",
            stacklevel=4,
        )

    def _next(self):
        """The next batch over all epochs; None, and a fresh start, at the end."""
        if self._iterator is None:
            self._iterator = iter(self.adapter)
        batch = next(self._iterator, None)
        if batch is None:
            self._iterator = None
        return batch

    def arrays(self):
        """One epoch's data on the device, in the order of its batches."""
        order = list(self.adapter.index_batches())
        if self._arrays is None:
            self._arrays = jax.device_put(_packed(self.adapter.arrays))
        if order and isinstance(order[0], slice):
            return self._arrays
        return _take(self._arrays, np.concatenate(order))


@jax.jit
def _take(arrays, order):
    return jax.tree_util.tree_map(lambda a: a[order], arrays)


def _packed(arrays):
    """Without trailing None, so that steps unpack them like any batch."""
    x, y, weights = arrays
    if weights is not None:
        return (x, y, weights)
    return (x, y) if y is not None else (x,)


def _fits(adapter):
    if not isinstance(adapter, ArrayAdapter):
        return False
    leaves = jax.tree_util.tree_leaves(adapter.arrays)
    if any(is_sparse(leaf) for leaf in leaves):
        return False
    total = sum(leaf.nbytes for leaf in leaves)
    if total > _RESIDENT_BYTES or not adapter.num_samples:
        return False
    small = total / adapter.num_samples * adapter.batch_size <= _SMALL_BATCH
    return small or jax.default_backend() != "cpu"

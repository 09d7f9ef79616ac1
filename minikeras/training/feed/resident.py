"""ResidentFeed: a data set that stays on an accelerator."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.training.feed.base import ArrayFeed
from minikeras.training.feed.dispatch import BatchSlice, Dispatch, slices


class ResidentFeed(ArrayFeed):
    """The arrays go to the device once; each epoch sends only the order."""

    def __init__(self, adapter, steps_per_execution, reused):
        whole_batches = adapter.num_samples // adapter.batch_size
        super().__init__(adapter, steps_per_execution, whole_batches, reused)
        self._on_device = None

    def dispatches(self, stride: int):
        """Slices of the data set, the last of them smaller."""
        if self._on_device is None:
            self._on_device = jax.tree_util.tree_map(jnp.asarray, self.arrays())
        order = self.adapter.order()
        order = None if order is None else jnp.asarray(order)
        first = BatchSlice(self._on_device, order, np.int32(0), self.batch_size)
        yield from slices(first, self.whole_batches, stride)
        if self.rest:
            start = np.int32(self.whole_batches * self.batch_size)
            yield Dispatch(BatchSlice(self._on_device, order, start, self.rest))

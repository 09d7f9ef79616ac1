"""ResidentFeed: a data set that stays on an accelerator."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.data.arrays import ArrayAdapter
from minikeras.training.feed.base import ArrayFeed
from minikeras.training.feed.dispatch import BatchSlice, Dispatch, slices


class ResidentFeed(ArrayFeed):
    """The arrays go to the device once; each epoch sends only the order.

    Args:
        adapter: an `ArrayAdapter` of dense arrays.
        steps_per_execution: an epoch takes whole executions of so many batches.
        reused: is the data read for more than one epoch?
    """

    def __init__(self, adapter: ArrayAdapter, steps_per_execution: int, reused: bool):
        # No bound: the capacity of a loop is a constant of the program, which so serves
        # data sets of any length.
        super().__init__(adapter, steps_per_execution, None, reused)
        self._on_device = None

    def _slices(self, steps_per_dispatch, given) -> Iterator[Dispatch]:
        """Yield slices of the data set, the last of them smaller."""
        if self._on_device is None:
            self._on_device = jax.tree_util.tree_map(jnp.asarray, self.arrays())
        order = self.adapter.order()
        order = None if order is None else jnp.asarray(order)
        first = np.int32(given * self.batch_size)
        batch = BatchSlice(self._on_device, order, first, self.batch_size)
        yield from slices(batch, self.whole_batches - given, steps_per_dispatch)
        if self.partial_batch_size and given <= self.whole_batches:
            start = np.int32(self.whole_batches * self.batch_size)
            yield Dispatch(
                BatchSlice(self._on_device, order, start, self.partial_batch_size)
            )

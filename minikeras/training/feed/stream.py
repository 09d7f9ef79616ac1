"""StreamFeed: batches one by one, as the source makes them."""

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import Any

import jax

from minikeras.core.platform import is_cpu
from minikeras.training.feed.base import BatchFeed
from minikeras.training.feed.dispatch import Dispatch
from minikeras.training.feed.prefetch import prefetched


class StreamFeed(BatchFeed):
    """Batches of generators, loaders, data sets of files, and sparse arrays.

    With `steps`, an epoch goes on where the last one stopped, as in Keras.

    Args:
        adapter: the source.
        steps: batches of an epoch; None: as many as the source has.
        steps_per_execution: an epoch takes whole executions of so many batches.
    """

    def __init__(
        self, adapter: Any, steps: int | None = None, steps_per_execution: int = 1
    ):
        super().__init__(adapter, steps, steps_per_execution)
        self._iterator = None

    def __exit__(self, *_):
        if hasattr(self._iterator, "close"):
            self._iterator.close()
        super().__exit__()

    def dispatches(self, steps_per_dispatch: int) -> Iterator[Dispatch]:
        """Yield one dispatch a batch; loops would need batches that lie together."""
        for batch in prefetched(self._batches()):
            yield Dispatch(batch)

    def _batches(self):
        """The batches of one epoch, on their way to the device."""
        count, seen, stays_on_host = None, 0, is_cpu()
        # As in Keras, an execution that has begun is finished: with 10 steps and 4 in
        # an execution, an epoch takes 12 batches.
        if self.steps is not None:
            executions = math.ceil(self.steps / self.steps_per_execution)
            count = executions * self.steps_per_execution
        with contextlib.closing(self._take(count)) as batches:
            for batch in batches:
                seen += 1
                batch = batch if self.on_host is None else self.on_host(batch)
                # On a CPU, XLA reads the host's memory in place.
                yield batch if stays_on_host else jax.device_put(batch)
        if seen == 0 and count is None:
            _warn_of_end("before the epoch's first batch")
        elif count is not None and seen < count:
            _warn_of_end(f"after {seen} of {self.steps} batches of the epoch")

    def _take(self, count):
        """`count` batches from where the last epoch stopped; None: a whole epoch."""
        if count is None:
            with contextlib.closing(iter(self.adapter)) as batches:
                yield from batches
            return
        for seen in range(count):
            batch = self._next()
            if batch is None and seen == 0:  # the last epoch took all there was
                batch = self._next()
            if batch is None:
                return
            yield batch

    def _next(self):
        """The next batch over all epochs; None at the end, then a new start."""
        if self._iterator is None:
            self._iterator = iter(self.adapter)
        batch = next(self._iterator, None)
        if batch is None:
            self._iterator = None
        return batch


def _warn_of_end(when):
    warnings.warn(
        f"The data ran out {when}. A generator is read only once: let it give "
        "enough batches for all epochs, or pass an object whose `__iter__` starts "
        "anew.",
        stacklevel=4,
    )

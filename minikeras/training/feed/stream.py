"""StreamFeed: batches one by one, as the source makes them."""

import contextlib
import math
import warnings

import jax

from minikeras.core.platform import is_cpu
from minikeras.training.feed.base import BatchFeed
from minikeras.training.feed.dispatch import Dispatch
from minikeras.training.feed.prefetch import prefetched


class StreamFeed(BatchFeed):
    """For generators, loaders, data sets of files, sparse arrays, `steps_per_epoch`.

    With `steps`, an epoch goes on where the last one stopped, as in Keras.
    """

    def __init__(self, adapter, steps=None, steps_per_execution=1):
        super().__init__(adapter, steps, steps_per_execution)
        self._iterator = None

    def __exit__(self, *_):
        if hasattr(self._iterator, "close"):
            self._iterator.close()
        super().__exit__()

    def dispatches(self, stride: int):
        """One `Dispatch` a batch; the source has no room for loops."""
        for batch in prefetched(self._batches()):
            yield Dispatch(batch)

    def _batches(self):
        """The batches of one epoch, on their way to the device."""
        count, seen, stays_on_host = None, 0, is_cpu()
        if self.steps is not None:
            executions = math.ceil(self.steps / self.steps_per_execution)
            count = executions * self.steps_per_execution
        with contextlib.closing(self._take(count)) as batches:
            for batch in batches:
                seen += 1
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
        """The next batch over all epochs; None, and a new start, at the end."""
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

"""StreamFeed: batches one by one, as the source makes them."""

import contextlib
import itertools
import math
import warnings
from collections.abc import Iterator
from threading import get_ident
from typing import Any, NamedTuple

import jax

from minikeras.core import random_state
from minikeras.core.plain_state import is_same, pack
from minikeras.core.platform import is_cpu
from minikeras.data.position import checksum
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
        self._ahead = self._iterator = None
        self._last: Any = None  # the `_Mark` of the last dispatch
        self._draws = False  # does the source move the global generators?

    def __exit__(self, *_):
        # The first ends the thread that reads the second.
        for batches in (self._ahead, self._iterator):
            if hasattr(batches, "close"):
                batches.close()
        super().__exit__()

    def dispatches(self, steps_per_dispatch: int, given: int = 0) -> Iterator[Dispatch]:
        """Yield one dispatch a batch; loops would need batches that lie together."""
        self.is_open = True
        batches = self._batches(given, get_ident())
        # A thread would draw while callbacks do, in an order that nobody can repeat.
        may_run_ahead = lambda: not (self.records and self._draws)  # noqa: E731
        self._ahead = prefetched(batches, may_run_ahead)
        for batch, mark in self._ahead:
            self._last = mark
            yield Dispatch(batch)
        # With `steps`, the pass goes on in the next epoch.
        self.is_open = self.steps is not None

    def position(self, batches: int) -> dict[str, Any]:
        passes, mark = self.adapter.passes, self._last
        is_open = self.is_open or passes.is_endless
        position = mark and is_open and mark.position or passes.position(is_open)
        if "batches" in position and not passes.leaves_out:
            if position["iterator"] is None:
                position["checksum"] = mark and checksum(mark.batch)
        return position

    def _batches(self, given, thread):
        """(batch, `_Mark`) of one epoch, on their way to the device."""
        count, seen, stays_on_host = None, given, is_cpu()
        # As in Keras, an execution that has begun is finished: with 10 steps and 4 in
        # an execution, an epoch takes 12 batches.
        if self.steps is not None:
            executions = math.ceil(self.steps / self.steps_per_execution)
            count = executions * self.steps_per_execution
        with contextlib.closing(self._take(count, given)) as batches:
            # Only a source that is read ahead must tell its state behind each batch.
            for batch, mark in self._marked(batches, thread):
                seen += 1
                batch = batch if self.on_host is None else self.on_host(batch)
                # On a CPU, XLA reads the host's memory in place.
                yield batch if stays_on_host else jax.device_put(batch), mark
        if seen == 0 and count is None:
            _warn_of_end("before the epoch's first batch")
        elif count is not None and seen < count:
            _warn_of_end(f"after {seen} of {self.steps} batches of the epoch")

    def _marked(self, batches, thread):
        """The batches with a `_Mark`, if the feed records; else with None."""
        if not self.records:
            yield from ((batch, None) for batch in batches)
            return
        for number in itertools.count():
            # Two batches, at least, are fetched in the thread of the loop. There only
            # the source draws meanwhile.
            is_ahead = get_ident() != thread
            before = random_state.of() if number < 2 and not is_ahead else None
            if (batch := next(batches, None)) is None:
                return
            if before is not None:
                self._draws |= not is_same(pack(before), pack(random_state.of()))
            position = self.adapter.passes.position(True) if is_ahead else None
            yield batch, _Mark(batch, position)

    def _take(self, count, given):
        """`count` batches from where the last epoch stopped; None: a whole epoch."""
        if count is None:
            with contextlib.closing(iter(self.adapter)) as batches:
                yield from batches
            return
        for seen in range(given, count):
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


class _Mark(NamedTuple):
    """A batch, and where the source was behind it.

    Attributes:
        batch: on the host.
        position: if it was read ahead; else None.
    """

    batch: Any
    position: Any = None


def _warn_of_end(when):
    warnings.warn(
        f"The data ran out {when}. A generator is read only once: let it give "
        "enough batches for all epochs, or pass an object whose `__iter__` starts "
        "anew.",
        stacklevel=4,
    )

"""Fetch batches ahead in a thread, where making them takes time."""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

# Seconds. Handing a batch from thread to thread takes 1e-4: batches that are made
# faster than 5e-4 are made in the thread that needs them.
_SLOW_SECONDS = 5e-4
# Items fetched ahead: one ready when the step ends, and one that is being made. More of
# them would only take memory.
_MOST_PREFETCHED = 2
_END = object()


def prefetched(
    iterator: Iterator[Any], may_run_ahead: Callable[[], bool] = lambda: True
) -> Iterator[Any]:
    """Yield the items of an iterator; fetch two ahead if they are slow to make.

    Args:
        iterator: makes the items.
        may_run_ahead: function without arguments, called once two items were slow to
            make; False lets the rest be made when they are needed, too.

    An error of the iterator is raised where its item would have come. When the
    consumer stops early, the iterator is closed and no thread stays behind.
    """
    # Not after one: the first item of a source is often slower than the others.
    slow = 0
    try:
        while slow < 2:
            start = time.perf_counter()
            item = next(iterator, _END)
            slow += time.perf_counter() - start > _SLOW_SECONDS
            if item is _END:
                return
            yield item
        yield from _threaded(iterator) if may_run_ahead() else iterator
    finally:
        if hasattr(iterator, "close"):
            iterator.close()


def _threaded(iterator):
    """Yield the items, which a thread fetches ahead; the thread ends with the loop."""
    items, room, stopped = (
        queue.SimpleQueue(),
        threading.Semaphore(_MOST_PREFETCHED),
        [],
    )

    def fetch():
        try:
            while room.acquire() and not stopped:
                item = next(iterator, _END)
                items.put((item, None))
                if item is _END:
                    break
        except BaseException as error:  # goes to the consumer
            items.put((None, error))

    # The source sees the scopes of the caller, such as custom objects.
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(fetch,), daemon=True)
    thread.start()
    try:
        while True:
            item, error = items.get()
            if error is not None:
                raise error
            if item is _END:
                return
            room.release()
            yield item
    finally:
        stopped.append(True)
        room.release()
        thread.join()

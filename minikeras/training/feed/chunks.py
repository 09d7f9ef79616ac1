"""ChunkFeed: arrays of the host, sent to the device in chunks of many batches."""

from collections.abc import Iterator

import jax
import numpy as np

from minikeras.core import platform
from minikeras.core.platform import ALIGNMENT, aligned_empty
from minikeras.data.arrays import ArrayAdapter
from minikeras.training.feed.base import ArrayFeed, size_in_bytes
from minikeras.training.feed.dispatch import BatchSlice, Dispatch, slices

# Batches of a chunk: the largest of these sizes that an epoch half fills and that
# stays below 32 MiB. There are only three, because each size is one more program.
_CHUNK_BATCHES, _CHUNK_BYTES = (256, 64, 8), 1 << 25


class ChunkFeed(ArrayFeed):
    """Copies the next batches into one chunk while the device runs the chunk before.

    For loops and accelerators a chunk holds several batches. It always has one size, so
    that one program serves data of any length. The unused end holds arbitrary values.
    """

    def _slices(self, steps_per_dispatch, given) -> Iterator[Dispatch]:
        """Yield slices of chunks; the samples that fill no batch come alone."""
        size, order, arrays = self.batch_size, self.adapter.order(), self.arrays()
        on_cpu = platform.is_cpu()
        # On a CPU a single step reads its batch in place, which no chunk improves.
        single = on_cpu and not steps_per_dispatch
        in_chunks = 0 if single else self.whole_batches * size
        chunk_samples, end = (
            self.max_steps_per_dispatch * size,
            self.adapter.num_samples,
        )
        start = given * size
        for first in range(start, in_chunks, chunk_samples or 1):
            last = min(first + chunk_samples, in_chunks)
            chunk = _gather(arrays, order, first, last, chunk_samples)
            # A GPU gets a chunk in one transfer, also for single steps. With a transfer
            # for each batch, a step of ResNet-8's `predict` took 1.10 ms, not 0.77.
            chunk = chunk if on_cpu else jax.device_put(chunk)
            batch = BatchSlice(chunk, None, np.int32(0), size)
            yield from slices(batch, (last - first) // size, steps_per_dispatch)
        for first in range(max(start, in_chunks), end, size):
            last = min(first + size, end)
            yield Dispatch(_gather(arrays, order, first, last, last - first))


def chunk_batches(adapter: ArrayAdapter, steps_per_execution: int) -> int:
    """Batches of a chunk, in whole executions; 0: batches are too large, or few."""
    whole_batches = adapter.num_samples // adapter.batch_size
    per_sample = size_in_bytes(adapter.arrays) / adapter.num_samples
    batch_bytes = per_sample * adapter.batch_size
    most = min(2 * whole_batches, _CHUNK_BYTES / max(batch_bytes, 1))
    batches = max((size for size in _CHUNK_BATCHES if size <= most), default=0)
    if batches:
        batches = max(batches // steps_per_execution, 1) * steps_per_execution
    # An execution of many steps may be larger than a chunk, but not without bound.
    return batches if batches * batch_bytes <= 8 * _CHUNK_BYTES else 0


def _gather(arrays, order, first, last, chunk_samples):
    """Samples `first` to `last` of arrays in an order, in memory for `chunk_samples`.

    The memory is aligned, so that XLA on a CPU reads it without another copy. What
    follows the samples is whatever the memory held.
    """

    def part(a):
        a = np.asarray(a)
        if (
            order is None
            and last - first == chunk_samples
            and _is_readable(a[first:last])
        ):
            return a[first:last]
        chunk = aligned_empty((chunk_samples, *a.shape[1:]), a.dtype)
        if order is None:
            chunk[: last - first] = a[first:last]
        else:
            rows = order[first:last]
            # "clip" spares numpy a copy of the output, which "raise" makes.
            np.take(a, rows, axis=0, out=chunk[: last - first], mode="clip")
        return chunk

    return jax.tree_util.tree_map(part, arrays)


def _is_readable(array):
    """Does the device take this memory as it is?"""
    aligned = array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0
    return aligned or not platform.is_cpu()

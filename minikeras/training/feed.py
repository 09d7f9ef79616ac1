"""How batches come to the device: one by one, or cut there out of larger arrays."""

import contextlib
import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.core.variable import is_sparse
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.arrays import ArrayAdapter
from minikeras.training.prefetch import ahead

# What a data set may take of an accelerator's memory.
_RESIDENT_SHARE = 0.25
# Batches that go to the device together: the most of these that an epoch half fills,
# and no more bytes.
_CHUNKS, _CHUNK_BYTES = (256, 64, 8), 1 << 25
_ALIGNMENT = 64  # bytes, of memory that XLA reads in place


@jax.tree_util.register_pytree_node_class
class BatchSlice:
    """A batch not yet cut out of arrays on the device.

    Args:
        arrays: a data set, or a part of it: a batch of any number of rows.
        order: the order of the rows, int32, or None for their own.
        start: the batch has the rows `order[start : start + size]`.
        size: samples in it, a Python int.
    """

    def __init__(self, arrays, order, start, size):
        self.arrays, self.order = arrays, order
        self.start, self.size = start, size

    def tree_flatten(self):
        return (self.arrays, self.order, self.start), self.size

    @classmethod
    def tree_unflatten(cls, size, children):
        arrays, order, start = children
        return cls(arrays, order, start, size)

    def after(self, batches):
        """The rows that many whole batches further on."""
        start = self.start + batches * self.size
        return BatchSlice(self.arrays, self.order, start, self.size)

    def cut(self):
        """The batch."""

        def part(a):
            return jax.lax.dynamic_slice_in_dim(a, self.start, self.size)

        if self.order is None:
            return jax.tree_util.tree_map(part, self.arrays)
        rows = part(self.order)
        return jax.tree_util.tree_map(
            lambda a: a.at[rows].get(mode="promise_in_bounds", unique_indices=True),
            self.arrays,
        )


class BatchFeed:
    """One source of data for many epochs.

    Args:
        adapter: the source.
        steps: batches an epoch; None: as many as there are.
        group: batches of one execution; an epoch takes whole executions.
        together: may several batches go to the device together?
        often: is the data read many times? Then it stays on an accelerator where it
            fits.

    Attributes:
        num_batches: of an epoch; None where nobody knows.
        shapes: shapes and dtypes of a batch, where several can go in one dispatch; or
            None.
    """

    def __init__(self, adapter, steps=None, group=1, together=True, often=False):
        self.adapter = adapter
        limit = settings.max_steps_per_epoch()
        self.steps = steps if limit is None else min(steps or limit, limit)
        self.group = group
        self.num_batches = self.steps or adapter.num_batches
        if adapter.num_batches == 0:
            raise ValueError("The data is empty: it holds no samples, no batch.")
        self.batch_size = adapter.batch_size
        self._iterator = None
        self._on_device = None  # the data set, where it stays there
        self._on_cpu = _is_cpu()
        self._stays, self.shapes = False, None
        self._cuts = together and self.steps is None and _is_dense(adapter)
        if self._cuts:
            self._plan(adapter.arrays, often)

    def _plan(self, arrays, often):
        """How batches of arrays go to the device."""
        size = self.batch_size
        self._whole, self._rest = divmod(self.adapter.num_samples, size)
        on_device = _is_on_device(arrays)
        self._stays = not self._on_cpu and (on_device or often and _fits(arrays))
        total = _bytes(arrays) / self.adapter.num_samples * size
        most = min(2 * self._whole, _CHUNK_BYTES / max(total, 1))
        room = max((room for room in _CHUNKS if room <= most), default=0)
        if room:  # for whole executions
            room = max(room // self.group, 1) * self.group
        self._room = room if room * total <= 8 * _CHUNK_BYTES else 0
        if (self._stays or self._room) and self._whole >= (2 if often else 4):
            self.shapes = jax.tree_util.tree_map(
                lambda a: jax.ShapeDtypeStruct(
                    (size, *a.shape[1:]), jax.dtypes.canonicalize_dtype(a.dtype)
                ),
                pack_x_y_sample_weight(*arrays),
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """End the threads and processes that the source has started."""
        if hasattr(self._iterator, "close"):
            self._iterator.close()
        self.adapter.close()

    def dispatches(self, stride):
        """What to run in one epoch.

        Args:
            stride: batches of one dispatch, a loop on the device, where there are
                `shapes`; 0 without a loop.

        Yields:
            (way of `Program` to run it, its arguments, number of batches).
        """
        if self._stays:
            yield from self._from_device(stride)
        elif self._cuts and (self._room or self._on_cpu):
            yield from self._from_host(stride)
        else:
            for batch in ahead(self._batches()):
                yield "batch", (batch,), 1

    def _from_device(self, stride):
        """Batches of arrays that stay on the device."""
        arrays, order = self._on_device, self.adapter.order()
        if arrays is None:
            arrays = pack_x_y_sample_weight(*self.adapter.arrays)
            arrays = self._on_device = jax.tree_util.tree_map(jnp.asarray, arrays)
        order = None if order is None else jnp.asarray(order)
        rows = BatchSlice(arrays, order, np.int32(0), self.batch_size)
        yield from _runs(rows, self._whole, stride)
        if self._rest:
            start = np.int32(self._whole * self.batch_size)
            yield "rows", (BatchSlice(arrays, order, start, self._rest),), 1

    def _from_host(self, stride):
        """Batches put together while the device works on those before: for loops and
        accelerators several at once, always of one size, so that one program does for
        data of any length."""
        size, order = self.batch_size, self.adapter.order()
        arrays = pack_x_y_sample_weight(*self.adapter.arrays)
        alone = self._on_cpu and not stride
        chunked, end = 0 if alone else self._whole * size, self.adapter.num_samples
        room = self._room * size
        for first in range(0, chunked, room or 1):
            last = min(first + room, chunked)
            part = _part(arrays, order, first, last, room)
            part = part if self._on_cpu else jax.device_put(part)
            rows = BatchSlice(part, None, np.int32(0), size)
            yield from _runs(rows, (last - first) // size, min(stride, self._room))
        for first in range(chunked, end, size):
            last = min(first + size, end)
            yield "batch", (_part(arrays, order, first, last, last - first),), 1

    def _batches(self):
        """The batches of one epoch, on their way to the device."""
        count, seen = None, 0
        if self.steps is not None:
            count = math.ceil(self.steps / self.group) * self.group
        with contextlib.closing(self._some(count)) as batches:
            for batch in batches:
                seen += 1
                yield batch if self._on_cpu else jax.device_put(batch)
        if seen == 0 and count is None:
            self._ran_out("before the epoch's first batch")
        elif count is not None and seen < count:
            self._ran_out(f"after {seen} of {self.steps} batches of the epoch")

    def _some(self, count):
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


def _runs(rows, count, stride):
    """Dispatches of `count` batches from `rows` on."""
    for first in range(0, count, stride or 1):
        if stride == 0:
            yield "rows", (rows.after(first),), 1
        else:
            now = min(stride, count - first)
            yield "many", (rows.after(first), np.int32(now), stride), now


def _part(arrays, order, first, last, room):
    """Some samples of arrays in an order, followed by anything to fill the room.

    It lies where XLA on a CPU can read it, without another copy.
    """

    def part(a):
        a = np.asarray(a)
        if order is None and last - first == room and _is_readable(a[first:last]):
            return a[first:last]
        chunk = _aligned((room, *a.shape[1:]), a.dtype)
        if order is None:
            chunk[: last - first] = a[first:last]
        else:
            rows = order[first:last]
            np.take(a, rows, axis=0, out=chunk[: last - first], mode="clip")
        return chunk

    return jax.tree_util.tree_map(part, arrays)


def _is_readable(array):
    """Does the device take this memory as it is?"""
    aligned = array.flags.c_contiguous and array.ctypes.data % _ALIGNMENT == 0
    return aligned or not _is_cpu()


def _aligned(shape, dtype):
    """An array of anything, aligned for XLA."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + _ALIGNMENT, "uint8")
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def _is_dense(adapter):
    return (
        isinstance(adapter, ArrayAdapter)
        and adapter.num_samples > 0
        and not any(map(is_sparse, jax.tree_util.tree_leaves(adapter.arrays)))
    )


def _is_cpu():
    return jax.default_backend() == "cpu"


def _is_on_device(arrays):
    leaves = jax.tree_util.tree_leaves(arrays)
    return all(isinstance(leaf, jax.Array) for leaf in leaves)


def _bytes(arrays):
    return sum(leaf.nbytes for leaf in jax.tree_util.tree_leaves(arrays))


def _fits(arrays):
    """Has the device room for the data set?"""
    memory = jax.local_devices()[0].memory_stats() or {}
    return _bytes(arrays) <= memory.get("bytes_limit", 0) * _RESIDENT_SHARE

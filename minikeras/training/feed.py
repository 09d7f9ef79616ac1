"""How batches come to the device: one by one, or cut there out of larger arrays."""

import contextlib
import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import config
from minikeras.core.variable import is_sparse
from minikeras.data.adapter import pack_x_y_sample_weight
from minikeras.data.arrays import ArrayAdapter
from minikeras.training.prefetch import ahead

# What a data set may take of the device's memory: in bytes where that is the host's.
_RESIDENT_BYTES, _RESIDENT_SHARE = 1 << 30, 0.25
# A CPU cuts larger batches out on the host, while the last step still computes.
_SMALL_BATCH = 1 << 16
# Whole batches that go to the device together, where they need not stay there.
_CHUNK, _CHUNK_BYTES = 64, 1 << 26


@jax.tree_util.register_pytree_node_class
class Rows:
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
        return Rows(self.arrays, self.order, start, self.size)

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


class Feed:
    """One source of data for many epochs.

    Args:
        adapter: the source.
        steps: batches an epoch; None: as many as there are.
        group: batches of one execution; an epoch takes whole executions.
        resident: keep the data set on the device, where it fits: this pays when it is
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
        self._on_cpu = jax.default_backend() == "cpu"
        self._stays = self._chunked = False
        if self.steps is None and _is_dense(adapter):
            self._whole, self._rest = divmod(adapter.num_samples, self.batch_size)
            on_device = _is_on_device(adapter.arrays)
            self._stays = on_device or resident and _fits(adapter.arrays)
            total = _bytes(adapter.arrays) / adapter.num_samples * self.batch_size
            self._small = on_device or total <= _SMALL_BATCH
            together = total * _CHUNK <= _CHUNK_BYTES
            self._chunked = together and not self._stays and not adapter.shuffle

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """End the threads and processes that the source has started."""
        if hasattr(self._iterator, "close"):
            self._iterator.close()
        self.adapter.close()

    def shapes(self):
        """Shapes and dtypes of a batch, where several can go in one dispatch."""
        least = 2 if self._stays else _CHUNK // 16
        if not (self._stays or self._chunked) or self._whole < least:
            return None
        size = self.batch_size

        def spec(a):
            dtype = jax.dtypes.canonicalize_dtype(a.dtype)
            return jax.ShapeDtypeStruct((size, *a.shape[1:]), dtype)

        batch = pack_x_y_sample_weight(*self.adapter.arrays)
        return jax.tree_util.tree_map(spec, batch)

    def _room(self):
        """Samples that go to the device together."""
        chunk = _CHUNK if self._whole >= _CHUNK // 2 else _CHUNK // 8
        return chunk * self.batch_size

    def dispatches(self, stride):
        """What to run in one epoch.

        Args:
            stride: batches of one dispatch, a loop on the device, where `shapes()`
                gave some; 0 without a loop.

        Yields:
            (way of `Program` to run it, its arguments, number of batches).
        """
        if self._stays and (stride or self._small or not self._on_cpu):
            yield from self._from_device(stride)
        elif self._chunked and stride:
            yield from self._in_chunks(stride)
        else:
            for batch in ahead(self._batches()):
                yield "batch", (batch,), 1

    def _from_device(self, stride):
        """Batches of arrays that stay on the device."""
        arrays = self._on_device()
        order = list(self.adapter.index_batches())
        shuffled = not isinstance(order[0], slice)
        order = jnp.asarray(np.concatenate(order)) if shuffled else None
        rows = Rows(arrays, order, np.int32(0), self.batch_size)
        yield from _runs(rows, self._whole, stride)
        if self._rest:
            start = np.int32(self._whole * self.batch_size)
            yield "rows", (Rows(arrays, order, start, self._rest),), 1

    def _on_device(self):
        """The data set; a CPU, on which that costs little, looks at it anew in each
        epoch: a callback may have changed it."""
        arrays = self._arrays
        if arrays is None:
            arrays = pack_x_y_sample_weight(*self.adapter.arrays)
            arrays = jax.tree_util.tree_map(self._put, arrays)
        if not self._on_cpu:
            self._arrays = arrays
        return arrays

    def _put(self, array):
        small = self._on_cpu and array.nbytes <= _SMALL_BATCH
        return array if small else jnp.asarray(array)

    def _in_chunks(self, stride):
        """Batches cut out of some that go to the device together.

        All chunks have one size, so that one program does for data of any length.
        """
        size, room = self.batch_size, self._room()
        arrays = pack_x_y_sample_weight(*self.adapter.arrays)
        for first in range(0, self._whole * size, room):
            samples = min(room, self._whole * size - first)
            rows = Rows(_part(arrays, first, samples, room), None, np.int32(0), size)
            yield from _runs(rows, samples // size, min(stride, room // size))
        if self._rest:
            start = self._whole * size
            yield "batch", (_part(arrays, start, self._rest, self._rest),), 1

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


def _part(arrays, start, size, room):
    """Some rows of arrays, made up to `room` rows."""

    def part(a):
        rows = a[start : start + size]
        return rows if size == room else np.resize(rows, (room, *a.shape[1:]))

    return jax.tree_util.tree_map(part, arrays)


def _is_dense(adapter):
    return (
        isinstance(adapter, ArrayAdapter)
        and adapter.num_samples > 0
        and not any(map(is_sparse, jax.tree_util.tree_leaves(adapter.arrays)))
    )


def _is_on_device(arrays):
    leaves = jax.tree_util.tree_leaves(arrays)
    return all(isinstance(leaf, jax.Array) for leaf in leaves)


def _bytes(arrays):
    return sum(leaf.nbytes for leaf in jax.tree_util.tree_leaves(arrays))


def _fits(arrays):
    """Has the device room for the data set?"""
    memory = jax.local_devices()[0].memory_stats() or {}
    limit = memory.get("bytes_limit", _RESIDENT_BYTES / _RESIDENT_SHARE)
    return _bytes(arrays) <= limit * _RESIDENT_SHARE

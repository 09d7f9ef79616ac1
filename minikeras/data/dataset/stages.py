"""Stages of a `Dataset` that Grain lacks. Only `dataset.py` imports this file, late."""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grain
import jax
import numpy as np

MapDataset = grain.MapDataset
ZipMapDataset = grain.experimental.ZipMapDataset


class Stream(grain.IterDataset):
    """Elements of a generator over other streams.

    Its position is how many elements it gave. To go on from there it starts again and
    drops so many.

    Args:
        function: makes an iterator from one iterator of each parent.
        *parents: data sets of Grain.
    """

    def __init__(self, function: Callable[..., Iterator], *parents: Any):
        super().__init__(parents)
        self._function = function

    def __iter__(self):
        return _StreamIterator(self._function, [iter(p) for p in self.parents])


class _StreamIterator(grain.DatasetIterator):
    """The iterator of a `Stream`."""

    def __init__(self, function, parents):
        super().__init__(parents)
        self._function, self._iterators = function, parents
        self._start = [p.get_state() for p in parents]
        self._items, self._given = function(*parents), 0

    def __next__(self):
        item = next(self._items)
        self._given += 1
        return item

    def get_state(self):
        return {"given": self._given}

    def set_state(self, state):
        for iterator, start in zip(self._iterators, self._start, strict=True):
            iterator.set_state(start)
        self._items, self._given = self._function(*self._iterators), 0
        for _ in itertools.islice(self, state["given"]):
            pass

    def close(self):
        """End the generator, then the iterators that it reads."""
        if hasattr(self._items, "close"):
            self._items.close()
        for iterator in self._iterators:
            iterator.close()


class Cached(grain.MapDataset):
    """Keeps each element when it is read first.

    Args:
        parent: data set with random access.
        kept: {index: element}, shared by all epochs.
    """

    def __init__(self, parent: Any, kept: dict[int, Any]):
        super().__init__(parent)
        self._kept = kept

    def __len__(self):
        return len(self._parent)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.slice(index)
        index %= len(self)
        if index not in self._kept:
            self._kept[index] = self._parent[index]
        return copied(self._kept[index])


class CachedElements:
    """Keeps the elements of a stream once one pass has read them all."""

    def __init__(self):
        self._kept: list | None = None
        self._lock = threading.Lock()

    def read(self, source: Callable[[], Any]) -> Iterator:
        """Generate the kept elements, or those of the source.

        Args:
            source: makes an iterator over all elements.
        """
        if self._kept is not None:
            yield from map(copied, self._kept)
            return
        found = []
        for element in source():
            found.append(element)
            yield copied(element)
        with self._lock:
            self._kept = found


class SamePass(grain.MapDataset):
    """Gives the same elements in each repetition, where Grain would shuffle anew.

    Args:
        parent: data set with random access.
    """

    def __len__(self):
        return len(self._parent)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.slice(index)
        return self._parent[index % len(self)]


def copied(element: Any) -> Any:
    """An element whose arrays the user may write into."""
    return jax.tree_util.tree_map(np.copy, element)


def as_stream(data: Any, threads: int = 0, ahead: int = 0) -> Any:
    """A data set of Grain as a stream; one with random access is read by threads.

    Args:
        data: `MapDataset` or `IterDataset`.
        threads: how many threads read elements.
        ahead: how many elements they read ahead, at least one for each thread.
    """
    if not isinstance(data, MapDataset):
        return data
    options = grain.ReadOptions(
        num_threads=threads, prefetch_buffer_size=max(ahead, threads)
    )
    return data.to_iter_dataset(options)


def read_ahead(data: Any, count: int) -> Any:
    """A stream whose elements a thread makes ahead.

    Args:
        data: `IterDataset`.
        count: how many elements.
    """
    return grain.experimental.ThreadPrefetchIterDataset(
        data, prefetch_buffer_size=count
    )


def stacked(elements: list) -> Any:
    """Join elements to a batch, arrays of one shape each."""
    try:
        return jax.tree_util.tree_map(lambda *rows: np.stack(rows), *elements)
    except ValueError as error:
        shapes = [jax.tree_util.tree_map(np.shape, e) for e in elements]
        others = [shape for shape in shapes if shape != shapes[0]]
        raise ValueError(
            "batch: the elements of a batch must have one structure and equal shapes, "
            f"got {shapes[0]} and {(others or shapes)[0]}. Make them equal in a map, "
            "or fill them up by padded_batch."
        ) from error


def padded(elements: list, shapes: Any, values: Any) -> Any:
    """Join elements to a batch, filled up to one shape.

    Args:
        elements: trees of arrays.
        shapes: None, one shape for all, or a tree like an element, of shapes or None.
        values: None, one number or text, or a tree like an element.
    """
    is_shape = lambda x: x is None or _is_sizes(x)  # noqa: E731
    tree = jax.tree_util.tree_structure(elements[0])
    rows = zip(*map(jax.tree_util.tree_leaves, elements), strict=True)
    columns = zip(
        rows,
        _leaves_like(shapes, tree, is_shape),
        _leaves_like(values, tree, lambda x: x is None),
        strict=True,
    )
    return tree.unflatten([_filled_up(*column) for column in columns])


def _is_sizes(x):
    """Is it a shape: ints, -1 or None, or something that NumPy takes for them?"""
    return isinstance(x, (list, tuple)) and all(
        size is None or isinstance(size, (int, np.integer)) for size in x
    )


def _leaves_like(tree, structure, is_leaf):
    """One leaf for each array of an element; a single leaf serves all."""
    leaves = jax.tree_util.tree_leaves(tree, is_leaf=is_leaf)
    return leaves * structure.num_leaves if len(leaves) == 1 else leaves


def _filled_up(rows, shape, value):
    """Arrays of one rank as one array, the ends filled with a value."""
    largest = np.max([row.shape for row in rows], axis=0).astype(int).tolist()
    wanted = [None] * len(largest) if shape is None else shape
    sizes = [
        size if want in (None, -1) else want
        for size, want in zip(largest, wanted, strict=True)
    ]
    if any(size > most for size, most in zip(largest, sizes, strict=True)):
        raise ValueError(
            f"padded_batch: an element has the shape {tuple(largest)}, which does not "
            f"fit into padded_shapes={tuple(wanted)}. Use None for the longest."
        )
    is_text = rows[0].dtype.kind == "O"
    value = ("" if is_text else 0) if value is None else value
    batch = np.full((len(rows), *sizes), value, np.result_type(*rows))
    for i, row in enumerate(rows):
        batch[(i, *map(slice, row.shape))] = row
    return batch


def mixed(elements: Iterator, buffer_size: int, seed: tuple[int, ...]) -> Iterator:
    """Generate elements in a random order, each drawn from a buffer.

    Args:
        elements: iterator.
        buffer_size: how many elements the buffer holds.
        seed: ints.
    """
    rng, buffer = np.random.default_rng(seed), []
    for element in elements:
        buffer.append(element)
        if len(buffer) >= buffer_size:
            i = int(rng.integers(len(buffer)))
            buffer[i], buffer[-1] = buffer[-1], buffer[i]
            yield buffer.pop()
    for i in rng.permutation(len(buffer)):
        yield buffer[i]

"""Batches from Python generators and from other iterables of batches."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from minikeras.core.plain_state import StateOf
from minikeras.data.adapter import Adapter, reject_arguments
from minikeras.data.batches import to_batch
from minikeras.data.text import refuse_text
from minikeras.data.weights import add_class_weights


class IterableAdapter(Adapter):
    """Batches from an object whose `__iter__` starts a new epoch.

    Args:
        source: yields `(x,)`, `(x, y)`, `(x, y, sample_weight)`, lists of these parts,
            or `x` alone, an array or a dict. Its `len`, if it has one, is the number
            of batches.
        class_weight: {class number: weight}, for batches `(x, y)`.
    """

    description = "stream of batches"
    fallback = True
    copies = True  # the source may write the next batch into the same array

    def __init__(self, source: Any, class_weight: dict | None = None):
        self.source = source
        self.class_weight = class_weight

    @staticmethod
    def takes(x: Any) -> bool:
        """True for iterables that are no containers and no iterators."""
        containers = (str, bytes, dict, list, tuple, set, frozenset)
        return (
            hasattr(x, "__iter__")
            and not hasattr(x, "__next__")
            and not isinstance(x, containers)
        )

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> Adapter:
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        reject_arguments(cls.description, **others)
        return cls(x)

    @property
    def num_batches(self) -> int | None:
        try:
            return len(self.source)
        except TypeError:
            return None

    def record_passes(self) -> None:
        self.passes.record(StateOf(self.source))

    def _batches(self) -> Iterator:
        iterator = self.passes.iterate(self.source)
        try:
            for batch in iterator:
                yield add_class_weights(to_batch(batch, self.copies), self.class_weight)
        finally:
            if hasattr(iterator, "close"):
                iterator.close()


class GeneratorAdapter(Adapter):
    """Batches from a generator or another iterator.

    The first batch is fetched at once, so that a model can be built from it; the first
    epoch starts with it. Each epoch continues where the last one stopped. Batches are
    copied: a generator may fill the same array for each batch, while the device still
    reads from it.

    Differs from Keras, which trains again on the first two batches in every epoch
    after a generator has ended. Here such an epoch is empty, and the loop reports that
    the data has ended.

    Args:
        source: yields `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
    """

    description = "generator"
    fallback = True

    def __init__(self, source: Iterable):
        self._source, self._iterator = source, map(_from_tuple, source)
        self._first = []
        self.passes.is_endless = True
        self.peek()

    @staticmethod
    def takes(x: Any) -> bool:
        """True for any iterator."""
        return hasattr(x, "__next__")

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> Adapter:
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        reject_arguments(cls.description, **others)
        return cls(x)

    def refuse_text(self) -> None:
        super().refuse_text()
        refuse_text(self._first, "its first batch")

    def peek(self) -> Any:
        if not self._first:
            self._first = list(itertools.islice(self._iterator, 1))
        if not self._first:
            raise ValueError(
                "the generator must yield at least one batch, and this one has "
                "ended. Pass a fresh generator, or an object whose __iter__ starts "
                "anew."
            )
        return self._first[0]

    def record_passes(self) -> None:
        self.passes.record(StateOf(self._source))

    def _batches(self) -> Iterator:
        self.passes.iterate(self._source)
        if self.passes.goes_on_by_iterator:
            self._first.clear()  # of the iterator as it was before
        while self._first:
            yield self._first.pop()
        yield from self._iterator


def _from_tuple(batch):
    """Convert a batch of a generator; ValueError if it is no tuple."""
    if not isinstance(batch, tuple):
        raise ValueError(
            "A generator must yield tuples: (inputs,), (inputs, targets) or "
            f"(inputs, targets, sample_weights); got {type(batch).__name__}. For "
            "inputs alone, yield (x,)."
        )
    return to_batch(batch, copy=True)

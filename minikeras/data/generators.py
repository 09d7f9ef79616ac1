"""Batches from a Python generator, or any other iterable of batches."""

import itertools

from minikeras.data.adapter import Adapter, refuse
from minikeras.data.batches import to_batch
from minikeras.data.weights import weighted


class IterableAdapter(Adapter):
    """Batches from an object whose `__iter__` starts anew each epoch.

    Args:
        source: yields `(x,)`, `(x, y)`, `(x, y, sample_weight)`, lists of these parts,
            or `x` alone, an array or a dict. Its `len`, if any, counts batches.
        class_weight: dict from class number to weight, for batches `(x, y)`.
    """

    what = "stream of batches"
    fallback = True
    copies = True  # who makes a batch may write the next one over it

    def __init__(self, source, class_weight=None):
        self.source = source
        self.class_weight = class_weight

    @staticmethod
    def takes(x):
        """Anything to iterate over that is no container and no iterator."""
        containers = (str, bytes, dict, list, tuple, set, frozenset)
        return (
            hasattr(x, "__iter__")
            and not hasattr(x, "__next__")
            and not isinstance(x, containers)
        )

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """See `get_adapter`."""
        refuse(cls.what, **beside)
        return cls(x)

    @property
    def num_batches(self):
        try:
            return len(self.source)
        except TypeError:
            return None

    def _batches(self):
        iterator = iter(self.source)
        try:
            for batch in iterator:
                yield weighted(to_batch(batch, self.copies), self.class_weight)
        finally:
            if hasattr(iterator, "close"):
                iterator.close()


class GeneratorAdapter(Adapter):
    """Batches from a generator or another iterator.

    The first batch is fetched at once, so that a model can be built from it, and is
    kept: the first epoch begins with it. Each epoch reads on where the last stopped.
    Batches are copied: a generator may fill the same array again and again, while the
    device still reads from it.

    Departs from Keras, which trains again on the first two batches in every epoch
    after a generator has ended: here such an epoch is empty, and the loop says that
    the data ran out.

    Args:
        source: yields `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
    """

    what = "generator"
    fallback = True

    def __init__(self, source):
        self._iterator = map(_from_tuple, source)
        self._first = []
        self.peek()

    @staticmethod
    def takes(x):
        """Any iterator."""
        return hasattr(x, "__next__")

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """See `get_adapter`."""
        refuse(cls.what, **beside)
        return cls(x)

    def peek(self):
        if not self._first:
            self._first = list(itertools.islice(self._iterator, 1))
        if not self._first:
            raise ValueError(
                "the generator must yield at least one batch, and this one has "
                "ended. Pass a fresh generator, or an object whose __iter__ starts "
                "anew."
            )
        return self._first[0]

    def _batches(self):
        while self._first:
            yield self._first.pop()
        yield from self._iterator


def _from_tuple(batch):
    if not isinstance(batch, tuple):
        raise ValueError(
            "A generator must yield tuples: (inputs,), (inputs, targets) or "
            f"(inputs, targets, sample_weights); got {type(batch).__name__}. For "
            "inputs alone, yield (x,)."
        )
    return to_batch(batch, copy=True)

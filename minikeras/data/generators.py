"""Batches from a Python generator, or any other iterable of batches."""

import itertools

import jax
import numpy as np

from minikeras.data.adapter import Adapter, refuse
from minikeras.data.arrays import dense, is_arrays, is_leaf


class GeneratorAdapter(Adapter):
    """Batches from a generator or iterable that yields tuples.

    The first batch is fetched at once, so that a model can be built from it, and is
    kept: the first epoch begins with it. A generator is read on where the last epoch
    stopped; an iterable that is not an iterator starts anew each epoch.

    Departs from Keras, which trains again on the first two batches in every epoch
    after a generator has ended: here such an epoch is empty, and the loop says that
    the data ran out.

    Args:
        source: yields `(x,)`, `(x, y)` or `(x, y, sample_weight)`.
    """

    def __init__(self, source):
        self._source = source
        self._iterator = iter(source)
        self._first = []
        self.peek()

    @staticmethod
    def takes(x):
        """Anything to iterate over that is no structure of arrays or dataset."""
        containers = (str, bytes, dict, list, tuple)
        is_dataset = hasattr(type(x), "num_batches")
        return (
            hasattr(x, "__iter__")
            and not isinstance(x, containers)
            and not is_dataset
            and not is_arrays(x)
        )

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """See `get_adapter`."""
        refuse("generator", **beside)
        return cls(x)

    def peek(self):
        if not self._first:
            self._first = [_batch(b) for b in itertools.islice(self._iterator, 1)]
        if not self._first:
            raise ValueError(
                "the generator must yield at least one batch, and this one has "
                "ended. Pass a fresh generator, or an object whose __iter__ starts "
                "anew."
            )
        return self._first[0]

    def __iter__(self):
        if not self._first and self._iterator is not self._source:
            self._iterator = iter(self._source)
        while self._first:
            yield self._first.pop()
        yield from map(_batch, self._iterator)


def to_arrays(batch):
    """Make the leaves of one batch dense arrays; dtypes stay as they are."""
    return jax.tree_util.tree_map(
        lambda leaf: leaf if isinstance(leaf, jax.Array) else np.asarray(dense(leaf)),
        batch,
        is_leaf=is_leaf,
    )


def _batch(batch):
    if not isinstance(batch, tuple):
        raise ValueError(
            "A generator must yield tuples: (inputs,), (inputs, targets) or "
            f"(inputs, targets, sample_weights); got {type(batch).__name__}. For "
            "inputs alone, yield (x,)."
        )
    return to_arrays(batch)

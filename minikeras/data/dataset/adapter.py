"""Batches from a `Dataset`, for `fit`."""

import contextlib
from collections.abc import Iterator
from typing import Any

from minikeras.data.adapter import reject_arguments
from minikeras.data.batches import to_batch
from minikeras.data.dataset.dataset import Dataset
from minikeras.data.generators import IterableAdapter
from minikeras.data.weights import add_class_weights


class DatasetAdapter(IterableAdapter):
    """Batches from a `Dataset`. Its elements are new arrays, which nobody changes."""

    description = "Dataset"
    fallback = copies = False

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a `Dataset`."""
        return isinstance(x, Dataset)

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> "DatasetAdapter":
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        class_weight = others.pop("class_weight")
        reject_arguments(cls.description, **others)
        return cls(x, class_weight)

    @property
    def num_batches(self) -> int | None:
        count = int(self.source.cardinality())
        return None if count < 0 else count  # -1: endless, -2: unknown

    def _batches(self) -> Iterator:
        with contextlib.closing(self.source.batches()) as batches:
            self.passes.follow(batches)
            for batch in batches:
                yield add_class_weights(to_batch(batch), self.class_weight)

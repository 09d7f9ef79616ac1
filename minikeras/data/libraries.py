"""Batches from data loaders of other libraries, recognized by their class names.

No library is imported here: a user with one of its objects has imported it.
"""

import sys
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from minikeras.data.adapter import Adapter, reject_arguments
from minikeras.data.arrays import IndexedAdapter, is_leaf
from minikeras.data.batches import to_batch
from minikeras.data.generators import IterableAdapter
from minikeras.data.weights import add_class_weights


def is_instance_by_name(x: Any, library: str, *names: str) -> bool:
    """True if a class of `x`, or a base of it, is one of these of the library.

    >>> is_instance_by_name(np.float32(1), "numpy", "floating")
    True
    """
    return any(
        kind.__module__.partition(".")[0] == library and kind.__name__ in names
        for kind in type(x).__mro__
    )


class TorchAdapter(IterableAdapter):
    """Batches from a `torch.utils.data.DataLoader`, which share memory with tensors."""

    description = "torch DataLoader"
    fallback = copies = False

    def __init__(self, source):
        super().__init__(source)
        self.batch_size = source.batch_size
        if self.batch_size and not source.drop_last and self.num_batches is not None:
            samples = source.sampler if _has_length(source.sampler) else source.dataset
            self.partial_batch_size = len(samples) % self.batch_size or None
            self.has_partial_batch = self.partial_batch_size is not None

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a `DataLoader`."""
        return is_instance_by_name(x, "torch", "DataLoader")


class TensorFlowAdapter(IterableAdapter):
    """Batches from a `tf.data.Dataset`. Sparse and ragged tensors become dense."""

    description = "tf.data.Dataset"
    fallback = copies = False

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a `tf.data.Dataset`."""
        return is_instance_by_name(x, "tensorflow", "DatasetV2")

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> Adapter:
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        class_weight = others.pop("class_weight")
        reject_arguments(cls.description, **others)
        return cls(x, class_weight)

    @property
    def num_batches(self) -> int | None:
        count = int(self.source.cardinality())
        return None if count < 0 else count  # -1: endless, -2: unknown


class GrainAdapter(IterableAdapter):
    """Batches from a `grain.MapDataset`, `IterDataset` or `DataLoader`."""

    description = "Grain dataset"
    fallback = copies = False

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a data set or loader of Grain."""
        return is_instance_by_name(
            x, "grain", "MapDataset", "IterDataset", "DataLoader"
        )

    @property
    def num_batches(self) -> int | None:
        count = super().num_batches
        return None if count == sys.maxsize else count  # maxsize: repeated endlessly


class SampleSource:
    """Base of our own sources of samples with `len()` and `[i]`, for `fit`."""


class SampleAdapter(IndexedAdapter):
    """Batches from a source of samples with indices: `tfds.data_source`, Grain's.

    Args:
        source: `source[i]` is sample i: `(x,)`, `(x, y)`, `(x, y, sample_weight)`, or
            `x` alone. If a TFDS source names its inputs and targets
            (`dataset_info.supervised_keys`), only these entries are used.
        batch_size: number of samples in a batch; None: 32, or as many as give `steps`
            batches.
        steps: number of batches in an epoch, used if `batch_size` is None.
        shuffle: bool, whether to shuffle all samples in each epoch; "batch" shuffles
            within each batch.
        class_weight: {class number: weight}, for samples `(x, y)`.
    """

    description = "source of samples"

    def __init__(
        self, source, batch_size=None, steps=None, shuffle=False, class_weight=None
    ):
        self.source, self.class_weight = source, class_weight
        info = getattr(source, "dataset_info", None)
        self._keys = getattr(info, "supervised_keys", None)
        self._set_batch_size(len(source), batch_size, steps, shuffle)

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a source of samples of TFDS, Grain or ArrayRecord."""
        kinds = type(x).__mro__
        libraries = {kind.__module__.partition(".")[0] for kind in kinds}
        known = libraries & {"tensorflow_datasets", "grain", "array_record"}
        known = known or isinstance(x, SampleSource)
        return bool(known) and _has_length(x) and hasattr(x, "__getitem__")

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> Adapter:
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        class_weight = others.pop("class_weight")
        reject_arguments(cls.description, **others)
        return cls(x, batch_size, steps, shuffle, class_weight)

    def _batches(self) -> Iterator:
        for index in self.index_batches():
            if isinstance(index, slice):
                index = np.arange(index.start, index.stop)
            samples = [self._parts(sample) for sample in self._fetch(index.tolist())]
            batch = jax.tree_util.tree_map(
                lambda *leaves: np.stack(leaves), *samples, is_leaf=is_leaf
            )
            yield add_class_weights(to_batch(batch), self.class_weight)

    def _fetch(self, index):
        if hasattr(self.source, "__getitems__"):
            return self.source.__getitems__(index)
        return [self.source[i] for i in index]

    def _parts(self, sample):
        if self._keys is None or not isinstance(sample, dict):
            return sample
        return tuple(sample[key] for key in self._keys)


class HuggingFaceAdapter(IndexedAdapter):
    """Batches from a `datasets.Dataset` of Hugging Face, as NumPy arrays.

    A column `label` or `labels` gives the targets. The other columns are the inputs: a
    dict of arrays, or the array itself if there is one. Columns by themselves,
    `fit(data["x"], data["y"])`, are arrays.

    Args:
        source: the data set. One without a format is read as NumPy arrays.
        batch_size: number of samples in a batch; None: 32, or as many as give `steps`
            batches.
        steps: number of batches in an epoch, used if `batch_size` is None.
        shuffle: bool, whether to shuffle all samples in each epoch; "batch" shuffles
            within each batch.
        class_weight: {class number: weight}, for data sets with labels.
    """

    description = "Hugging Face data set"

    def __init__(
        self, source, batch_size=None, steps=None, shuffle=False, class_weight=None
    ):
        has_format = source.format["type"] is not None
        self.source = source if has_format else source.with_format("numpy")
        self.class_weight = class_weight
        self._set_batch_size(len(source), batch_size, steps, shuffle)

    @staticmethod
    def takes(x: Any) -> bool:
        """True for a whole data set, not streamed."""
        return is_instance_by_name(x, "datasets", "Dataset")

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **others) -> Adapter:
        """Wrap a source that `takes` accepts; `others` are y, sample_weight, …"""
        class_weight = others.pop("class_weight")
        reject_arguments(cls.description, **others)
        return cls(x, batch_size, steps, shuffle, class_weight)

    def _batches(self) -> Iterator:
        for index in self.index_batches():
            x = dict(self.source[index if isinstance(index, slice) else index.tolist()])
            labels = [x.pop(name) for name in ("label", "labels") if name in x]
            x = to_batch(x if len(x) != 1 else [*x.values()][0])
            batch = (x, *map(to_batch, labels[:1])) if labels else x
            yield add_class_weights(batch, self.class_weight)


def _has_length(x):
    """True if `len(x)` works."""
    try:
        return len(x) >= 0
    except TypeError:
        return False

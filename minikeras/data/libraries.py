"""Data loaders of other libraries, known by the names of their classes.

No library is imported here: who has one of its objects has imported it.
"""

import sys

import jax
import numpy as np

from minikeras.data.adapter import refuse
from minikeras.data.arrays import Batched, is_leaf
from minikeras.data.batches import to_batch
from minikeras.data.generators import IterableAdapter
from minikeras.data.weights import weighted


def is_a(x, library, *names):
    """Is `x` of a class of the library that bears one of the names?

    >>> is_a(np.float32(1), "numpy", "floating"), is_a(1, "numpy", "floating")
    (True, False)
    """
    return any(
        kind.__module__.partition(".")[0] == library and kind.__name__ in names
        for kind in type(x).__mro__
    )


class TorchAdapter(IterableAdapter):
    """Batches from a `torch.utils.data.DataLoader`; tensors share their memory."""

    what = "torch DataLoader"
    fallback = copies = False

    def __init__(self, source):
        super().__init__(source)
        self.batch_size = source.batch_size
        if self.batch_size and not source.drop_last and self.num_batches is not None:
            samples = source.sampler if _sized(source.sampler) else source.dataset
            self.partial_batch_size = len(samples) % self.batch_size or None
            self.has_partial_batch = self.partial_batch_size is not None

    @staticmethod
    def takes(x):
        """A `DataLoader`."""
        return is_a(x, "torch", "DataLoader")


class TensorFlowAdapter(IterableAdapter):
    """Batches from a `tf.data.Dataset`. Sparse and ragged tensors become dense."""

    what = "tf.data.Dataset"
    fallback = copies = False

    @staticmethod
    def takes(x):
        """A `tf.data.Dataset`."""
        return is_a(x, "tensorflow", "DatasetV2")

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """See `get_adapter`."""
        class_weight = beside.pop("class_weight")
        refuse(cls.what, **beside)
        return cls(x, class_weight)

    @property
    def num_batches(self):
        count = int(self.source.cardinality())
        return None if count < 0 else count  # endless, or unknown


class GrainAdapter(IterableAdapter):
    """Batches from a `grain.MapDataset`, `IterDataset` or `DataLoader`."""

    what = "Grain dataset"
    fallback = copies = False

    @staticmethod
    def takes(x):
        """A data set or loader of Grain."""
        return is_a(x, "grain", "MapDataset", "IterDataset", "DataLoader")

    @property
    def num_batches(self):
        count = super().num_batches
        return None if count == sys.maxsize else count  # repeated without end


class SampleAdapter(Batched):
    """Batches from a source of single samples by number: `tfds.data_source`, Grain's.

    Args:
        source: `source[i]` is sample i: `(x,)`, `(x, y)`, `(x, y, sample_weight)`, or
            `x` alone. Of a TFDS source that says which entries are inputs and targets
            (`dataset_info.supervised_keys`), only these are taken.
        batch_size, steps, shuffle: as in `ArrayAdapter`.
        class_weight: dict from class number to weight, for samples `(x, y)`.
    """

    what = "source of samples"

    def __init__(
        self, source, batch_size=None, steps=None, shuffle=False, class_weight=None
    ):
        self.source, self.class_weight = source, class_weight
        info = getattr(source, "dataset_info", None)
        self._keys = getattr(info, "supervised_keys", None)
        self._cut(len(source), batch_size, steps, shuffle)

    @staticmethod
    def takes(x):
        """A source of samples from TFDS, Grain or ArrayRecord."""
        kinds = type(x).__mro__
        libraries = {kind.__module__.partition(".")[0] for kind in kinds}
        known = libraries & {"tensorflow_datasets", "grain", "array_record"}
        return bool(known) and _sized(x) and hasattr(x, "__getitem__")

    @classmethod
    def make(cls, x, batch_size, steps, shuffle, **beside):
        """See `get_adapter`."""
        class_weight = beside.pop("class_weight")
        refuse(cls.what, **beside)
        return cls(x, batch_size, steps, shuffle, class_weight)

    def _batches(self):
        for index in self.index_batches():
            if isinstance(index, slice):
                index = np.arange(index.start, index.stop)
            samples = [self._parts(sample) for sample in self._fetch(index.tolist())]
            batch = jax.tree_util.tree_map(
                lambda *leaves: np.stack(leaves), *samples, is_leaf=is_leaf
            )
            yield weighted(to_batch(batch), self.class_weight)

    def _fetch(self, index):
        if hasattr(self.source, "__getitems__"):
            return self.source.__getitems__(index)
        return [self.source[i] for i in index]

    def _parts(self, sample):
        if self._keys is None or not isinstance(sample, dict):
            return sample
        return tuple(sample[key] for key in self._keys)


def _sized(x):
    try:
        return len(x) >= 0
    except TypeError:
        return False

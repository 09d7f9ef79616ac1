"""The batches that `adapt` of a layer sees: of arrays, generators and data sets."""

import itertools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from minikeras.data.libraries import is_instance_by_name
from minikeras.data.pydataset import PyDataset


def as_numpy(x: Any) -> Any:
    """Arrays, tensors, Series, tables and lists of text as NumPy arrays; others as is.

    Lists of text become arrays of objects: in those of fixed width, each entry would
    take as much memory as the longest.
    """
    if isinstance(x, jax.core.Tracer):
        return x
    if isinstance(x, (list, tuple)):
        try:
            objects = np.array(x, dtype=object)
        except ValueError:
            return x
        kinds = {*map(type, objects.ravel().tolist())}
        return objects if kinds and all(map(_is_text_kind, kinds)) else x
    if isinstance(x, (jax.Array, np.ndarray)):
        return np.asarray(x)
    for method in ("to_numpy", "numpy"):  # pandas; TensorFlow and torch
        if hasattr(x, method) and hasattr(x, "shape"):
            return getattr(x, method)()
    return x


def _is_text_kind(kind):
    return issubclass(kind, (str, bytes))


def is_whole(data: Any, lists: bool) -> bool:
    """Is it all the data at once, as a list is if `lists`, and no series of batches?"""
    tensorflow = is_instance_by_name(data, "tensorflow", "DatasetV2")
    if tensorflow or isinstance(data, PyDataset):
        return False
    kinds = (str, bytes, *((list, tuple) if lists else ()))
    return isinstance(data, kinds) or hasattr(data, "shape")


def batches(
    layer: Any,
    data: Any,
    steps: int | None = None,
    batch_size: int | None = None,
    lists: bool = True,
    drop_targets: bool = False,
) -> Iterator[Any]:
    """Generate the batches of the data, one at a time.

    Args:
        layer: the layer, for errors.
        data: array, tensor, pandas Series, or an iterable of batches: a generator, a
            `Dataset`, a `PyDataset`, a `tf.data.Dataset`.
        steps: int, the number of batches to read; None: all.
        batch_size: int, the size of the parts that an array is cut into; None: one.
        lists: are lists and tuples data, and not series of batches?
        drop_targets: take the first of a tuple of arrays, and raise no error?

    Raises:
        TypeError: nothing that can be iterated over.
        ValueError: the batches are pairs of inputs and targets.
    """
    name = type(layer).__name__
    if is_whole(data, lists):
        data = as_numpy(data)
        size = batch_size or max(np.size(data), 1)
        starts = range(0, len(data), size) if np.ndim(data) else ()
        parts: Any = (data[i : i + size] for i in starts) if starts else [data]
    elif isinstance(data, PyDataset):
        parts = (data[i] for i in range(len(data)))
    elif hasattr(data, "__iter__"):
        parts = data
    else:
        raise TypeError(
            f"{name}.adapt(): unsupported data type: {type(data)}. Pass an array, a "
            "pandas Series, a Dataset, a PyDataset or an iterable of batches."
        )
    for batch in itertools.islice(parts, steps):
        if isinstance(batch, tuple) and (drop_targets or len(batch) == 1):
            batch = batch[0]
        elif isinstance(batch, tuple) and any(np.ndim(as_numpy(x)) for x in batch):
            raise ValueError(
                f"{name}.adapt(): the data yields tuples of {len(batch)} arrays, as of "
                "inputs and targets. Pass the inputs alone: "
                "layer.adapt(dataset.map(lambda x, y: x))."
            )
        yield as_numpy(batch)


def documents(layer: Any, data: Any, *args: Any) -> Iterator[np.ndarray]:
    """`batches` of tokens or texts: each entry of flat data is a document."""
    whole = is_whole(data, lists=True)
    for batch in map(np.asarray, batches(layer, data, *args)):
        yield batch[:, None] if whole and batch.ndim == 1 else batch

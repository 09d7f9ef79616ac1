"""`split_dataset`: the samples of a data set in two."""

import random
from typing import Any

import jax
import numpy as np

from minikeras.core.late_import import late_import
from minikeras.data.dataset.dataset import Dataset
from minikeras.data.libraries import is_instance_by_name


def split_dataset(
    dataset,
    left_size=None,
    right_size=None,
    shuffle=False,
    seed=None,
    preferred_backend=None,
):
    """Split samples held in memory into two data sets, such as train and test.

    Args:
        dataset: array, list or tuple of arrays of equal length, `Dataset`,
            `tf.data.Dataset` or `torch.utils.data.Dataset`. One of TensorFlow is
            unbatched first, and batched again; a `Dataset` is split between elements.
        left_size: number of samples in the left part, or its fraction as a float; None:
            all that is not right.
        right_size: the same of the right part, which is taken from the end.
        shuffle: bool, whether the samples are shuffled first.
        seed: int of the shuffle; None: drawn from `random`. As in Keras, it seeds
            Python's global generator.
        preferred_backend: "tensorflow" or "torch" for data sets of these; "jax" for
            ours; None: as `dataset` is.

    Returns:
        `(left, right)`: two `Dataset`s of samples, or what `preferred_backend` says.

    Raises:
        TypeError: `dataset` or a size is of another type.
        ValueError: sizes that do not fit, or arrays of unequal lengths.
        ImportError: the library that is asked for is missing.
    """
    kind = preferred_backend or _library(dataset)
    if left_size is None and right_size is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. "
            "Received: left_size=None and right_size=None"
        )
    if kind == "torch":
        return _split_torch(dataset, left_size, right_size, shuffle, seed)
    rows = arrays = None
    if isinstance(dataset, Dataset) and kind != "tensorflow":
        rows = [*dataset.batches()]
        total = len(rows)
    else:
        arrays = _as_arrays(dataset)
        total = len(jax.tree_util.tree_leaves(arrays)[0])
    left, right = split_sizes(left_size, right_size, total)
    order = list(range(total))
    if shuffle:
        random.seed(random.randint(0, int(1e6)) if seed is None else seed)
        random.shuffle(order)
    parts = order[:left], order[-right:]
    if rows is not None:
        return tuple(Dataset.from_source([rows[i] for i in part]) for part in parts)
    in_parts = [
        jax.tree_util.tree_map(lambda x, part=part: x[part], arrays) for part in parts
    ]
    if kind != "tensorflow":
        return tuple(map(Dataset.from_tensor_slices, in_parts))
    make = late_import("tensorflow").data.Dataset.from_tensor_slices
    batch_size = getattr(dataset, "_batch_size", None)
    made = map(make, in_parts)
    return tuple(made if batch_size is None else (d.batch(batch_size) for d in made))


def _library(dataset):
    if is_instance_by_name(dataset, "torch", "Dataset"):
        return "torch"
    return (
        "tensorflow" if is_instance_by_name(dataset, "tensorflow", "DatasetV2") else ""
    )


def _as_arrays(dataset):
    """The samples as a structure of NumPy arrays."""
    if isinstance(dataset, (list, tuple)):
        arrays = tuple(map(np.asarray, dataset))
        if not arrays or len({x.shape[:1] for x in arrays}) > 1:
            problem = "arrays with different lengths" if arrays else "an empty list"
            raise ValueError(
                f"split_dataset: received {problem}, of the shapes "
                f"{[x.shape for x in arrays]}. Please provide arrays of the same "
                "length."
            )
        return arrays
    if getattr(dataset, "ndim", 0):
        return np.asarray(dataset)
    if not isinstance(dataset, Dataset) and not _library(dataset):
        raise TypeError(
            "The `dataset` argument must be an array, a list or tuple of arrays, a "
            f"Dataset, a tf.data.Dataset or a torch Dataset. Received: {type(dataset)}"
        )
    if getattr(dataset, "_batch_size", None) is not None:
        dataset = dataset.unbatch()
    source: Any = dataset
    is_stream = hasattr(source, "__iter__")
    samples = [*source] if is_stream else [source[i] for i in range(len(source))]
    if not samples:
        raise ValueError("Received an empty dataset: there is nothing to split.")
    return jax.tree_util.tree_map(lambda *rows: np.stack(rows), *samples)


def _split_torch(dataset, left_size, right_size, shuffle, seed):
    torch = late_import("torch")
    if not isinstance(dataset, torch.utils.data.Dataset):
        arrays = jax.tree_util.tree_leaves(_as_arrays(dataset))
        dataset = torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays))
    generator = None
    if shuffle:
        generator = torch.Generator()
        generator.manual_seed(seed) if seed is not None else generator.seed()
    sizes = split_sizes(left_size, right_size, len(dataset))
    return tuple(torch.utils.data.random_split(dataset, sizes, generator=generator))


def split_sizes(left_size: Any, right_size: Any, total: int) -> tuple[int, int]:
    """Numbers of samples in both parts, from numbers, fractions or None.

    Args:
        left_size, right_size: int, float in (0, 1) or None.
        total: number of samples.

    Raises:
        TypeError: another type.
        ValueError: a part would be empty, or both have more than `total` samples.

    >>> split_sizes(0.25, None, 10)
    (2, 8)
    """
    sizes = {"left_size": left_size, "right_size": right_size}
    known = {name: size for name, size in sizes.items() if size is not None}
    for name, size in known.items():
        if type(size) not in (int, float):
            raise TypeError(
                f"Invalid `{name}` Type. Expected: int or float or None, Received: "
                f"{type(size)}"
            )
    for name, size in known.items():
        if size <= 0 or size >= (1 if type(size) is float else total):
            raise ValueError(
                f"`{name}` should be either a positive integer smaller than {total}, "
                f"or a float within the range `[0, 1]`. Received: {name}={size}"
            )
    if sum(size for size in known.values() if type(size) is float) > 1:
        raise ValueError(
            "The sum of `left_size` and `right_size` is greater than 1. It must be "
            "less than or equal to 1."
        )
    counts = {
        name: round(size * total) if type(size) is float else size
        for name, size in known.items()
    }
    left = counts.get("left_size", total - counts.get("right_size", 0))
    right = counts.get("right_size", total - left)
    if left + right > total or min(left, right) <= 0:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be smaller than the "
            f"{total} samples, and neither part empty. Received: {left} and {right}"
        )
    return left, right

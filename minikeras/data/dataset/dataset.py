"""Dataset: the verbs of `tf.data` over Grain, without TensorFlow."""

import glob
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from minikeras.core.dtypes import as_jax
from minikeras.data.dataset.base import INFINITE, UNKNOWN, Pipeline, stages
from minikeras.data.dataset.batching import Batching
from minikeras.data.dataset.ordering import Ordering
from minikeras.data.dataset.per_element import PerElement
from minikeras.data.mapped_function import to_element


class Dataset(PerElement, Batching, Ordering):
    """A sequence of elements: arrays in tuples and dicts.

    The methods have the names and arguments of `tf.data.Dataset`; each returns a new
    data set. Elements are made when they are read, in NumPy on the host. Each `for`
    loop, and each epoch of `fit`, is a new pass. Grain (`pip install grain`) does the
    work. It differs from `tf.data` in one point: `shuffle` mixes all elements, whatever
    the size of its buffer, where it can read them in any order.

    Args:
        make: function from the number of a pass to a `Pipeline`. Users make data sets
            by `from_tensor_slices`, `from_generator` and the other static methods.
        count: number of elements; -1: endless, -2: unknown.

    Raises:
        ImportError: Grain is not installed.

    >>> data = Dataset.from_tensor_slices(np.arange(5)).map(lambda x: x * x).batch(2)
    >>> [x.tolist() for x in data]
    [[0, 1], [4, 9], [16]]
    """

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> "Dataset":
        """A data set of the rows of arrays.

        Args:
            tensors: array, list, or tuple or dict of arrays with equally many rows.
            name: not used.

        Raises:
            ValueError: numbers of rows that differ, or no array.
        """
        arrays = to_element(_as_dict(tensors))
        leaves = jax.tree_util.tree_leaves(arrays)
        counts = [x.shape[0] if x.ndim else None for x in leaves]
        if not counts or None in counts or len({*counts}) > 1:
            raise ValueError(
                "from_tensor_slices: expected arrays with equally many rows, got the "
                f"shapes {[x.shape for x in leaves]}."
            )
        rows = lambda _: Pipeline(stages().MapDataset.range(n), rows=arrays)  # noqa: E731
        return Dataset(rows, n) if (n := counts[0]) else Dataset.from_source(())

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> "Dataset":
        """A data set of one element.

        Args:
            tensors: the element: array, or tuple or dict of arrays.
            name: not used.
        """
        return Dataset.from_source([to_element(tensors)])

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable],
        output_types: Any = None,
        output_shapes: Any = None,
        args: tuple | None = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> "Dataset":
        """A data set of what a generator yields.

        Args:
            generator: function that returns an iterable; each pass calls it anew.
            output_types: dtype, or tuple or dict of dtypes, of the elements.
            output_shapes: not used: arrays have shapes.
            args: arguments of the function.
            output_signature: tree of objects with `dtype`, instead of `output_types`.
            name: not used.

        Raises:
            TypeError: `generator` cannot be called.
        """
        if not callable(generator):
            raise TypeError(
                "from_generator: expected a function that returns an iterable, so that "
                f"each pass can start anew, got {type(generator).__name__}."
            )
        kinds = output_types
        if output_signature is not None:
            kinds = jax.tree_util.tree_map(lambda s: s.dtype, output_signature)

        def elements():
            for element in generator(*(args or ())):
                # A generator may write the next element into the same array.
                element = stages().copied(to_element(element))
                yield element if kinds is None else _in_dtypes(element, kinds)

        return Dataset(lambda _: Pipeline(stages().Stream(elements)), UNKNOWN)

    @staticmethod
    def range(*args: int, output_type: Any = "int64", name: str | None = None):
        """A data set of the ints of `range(*args)`.

        Args:
            *args: stop; start and stop; or start, stop and step.
            output_type: dtype.
            name: not used.
        """
        return Dataset.from_tensor_slices(np.arange(*args, dtype=output_type))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> "Dataset":
        """A data set of tuples: the elements of several data sets side by side.

        Args:
            *args: data sets, or one tuple or dict of them, which may be nested; it ends
                with the shortest.
            datasets: the tuple or dict, by name.
            name: not used.
        """
        given = datasets if datasets is not None else args
        given = given[0] if len(given) == 1 and args else given
        is_leaf = lambda x: isinstance(x, Dataset)  # noqa: E731
        parts, tree = jax.tree_util.tree_flatten(_as_tuples(given), is_leaf=is_leaf)
        if not parts or not all(map(is_leaf, parts)):
            raise TypeError(f"zip: expected tuples or dicts of data sets, got {given}.")
        count = min((d._count for d in parts if d._count != INFINITE), default=INFINITE)

        def make(epoch):
            made = [d._make(epoch).whole() for d in parts]
            threads = max(p.threads for p in made)
            if count > 0 and all(p.is_map for p in made):
                equal = [p.data.slice(slice(count)) for p in made]
                return Pipeline(
                    stages().ZipMapDataset(equal).map(tree.unflatten), threads
                )
            side_by_side = lambda *xs: map(tree.unflatten, zip(*xs, strict=False))  # noqa: E731
            streams = [d._stream(epoch) for d in parts]
            return Pipeline(stages().Stream(side_by_side, *streams))

        return Dataset(make, count)

    @staticmethod
    def list_files(
        file_pattern: Any,
        shuffle: bool | None = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> "Dataset":
        """A data set of the paths of files.

        Args:
            file_pattern: pattern with `*` and `?`, or a list of them.
            shuffle: bool, whether to shuffle them; None shuffles, as tf.data does.
            seed: int, seed of the order.
            name: not used.

        Raises:
            ValueError: no file has such a name.
        """
        patterns = [file_pattern] if isinstance(file_pattern, str) else file_pattern
        paths = sorted({path for p in patterns for path in glob.glob(str(p))})
        if not paths:
            raise ValueError(f"list_files: no file matches {file_pattern!r}.")
        files = Dataset.from_tensor_slices(paths)
        return files if shuffle is False else files.shuffle(len(paths), seed)

    @staticmethod
    def from_source(source: Any) -> "Dataset":
        """A data set of the elements `source[i]`, for i in 0..len(source) - 1.

        Args:
            source: object with `__len__` and `__getitem__`, whose items are elements:
                arrays, or tuples and dicts of arrays.
        """
        if not len(source):
            return Dataset(lambda _: Pipeline(stages().Stream(lambda: iter(()))), 0)
        return Dataset(
            lambda _: Pipeline(stages().MapDataset.source(source).map(stages().copied)),
            len(source),
        )

    def _of(self, elements):
        return Dataset.from_source(elements)


def _as_tuples(datasets):
    """Nested data sets with tuples in the places of lists, as elements have them."""
    if isinstance(datasets, (list, tuple)):
        return tuple(map(_as_tuples, datasets))
    if isinstance(datasets, dict):
        return {key: _as_tuples(d) for key, d in datasets.items()}
    return datasets


def _as_dict(tensors):
    """A table of pandas as a dict of its columns."""
    is_table = hasattr(tensors, "columns") and hasattr(tensors, "iloc")
    return {name: tensors[name] for name in tensors} if is_table else tensors


def _in_dtypes(element, dtypes):
    """An element in other dtypes: a tree of them like it."""
    kinds = jax.tree_util.tree_leaves(dtypes, is_leaf=lambda d: not _is_container(d))
    leaves, tree = jax.tree_util.tree_flatten(element)
    return tree.unflatten([_cast(x, d) for x, d in zip(leaves, kinds, strict=True)])


def _is_container(x):
    return isinstance(x, (tuple, list, dict))


def _cast(x, dtype):
    name = getattr(dtype, "name", dtype)
    return x if name in ("string", str) else x.astype(as_jax(dtype))

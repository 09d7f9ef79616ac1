"""What all verbs of a `Dataset` stand on: how it is made, read and described."""

import contextlib
import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.data.dataset.iterator import DatasetIterator, as_data_array, as_numpy

INFINITE, UNKNOWN = -1, -2  # cardinalities, as of tf.data


class Pipeline(NamedTuple):
    """A data set of Grain, and how many threads are to read it.

    Attributes:
        data: `MapDataset`, whose elements have numbers, or `IterDataset`.
        threads: of a `MapDataset`; 0: none but the reader's.
        rows: if given, a tree of arrays: an element is the row whose number is an
            element of `data`. Batches of rows are cut out of the arrays at once.
    """

    data: Any
    threads: int = 0
    rows: Any = None

    @property
    def is_map(self) -> bool:
        """Do the elements have numbers, so that threads can make them in parallel?"""
        return isinstance(self.data, stages().MapDataset)

    def whole(self) -> "Pipeline":
        """The same elements, without `rows`."""
        if self.rows is None:
            return self
        # Copies: a function of the user may write into them.
        row = lambda i: map_arrays(lambda a: a[i, ...].copy(), self.rows)  # noqa: E731
        return Pipeline(self.data.map(row), self.threads)


@functools.cache
def stages() -> Any:
    """The module of the stages, which imports Grain.

    Raises:
        ImportError: Grain is not installed.
    """
    try:
        return late_import("minikeras.data.dataset.stages")
    except ModuleNotFoundError as error:
        raise ImportError(
            "A minikeras.data.Dataset needs Grain. Install it: pip install grain, or "
            "pip install 'minikeras-jax[data]'."
        ) from error


def map_arrays(function: Callable[..., Any], *elements: Any) -> Any:
    """Apply a function to the arrays of elements."""
    return jax.tree_util.tree_map(function, *elements)


class DatasetBase:
    """Making and reading; the mix-ins have the verbs.

    Args:
        make: function from the number of a pass to a `Pipeline`.
        count: number of elements; -1: endless, -2: unknown.
    """

    def __init__(self, make: Callable[[int], Pipeline], count: int):
        stages()  # so that a missing Grain is an error where the data set is made
        self._make, self._count = make, count
        self._depth = 0  # how many verbs have made it
        self._passes, self._begun = itertools.count(), 0

    def _derived(self, make, count):
        made = type(self)(make, count)
        made._depth = self._depth + 1
        return made

    def _new_pass(self):
        number = next(self._passes)
        self._begun = number + 1
        return number

    def get_state(self) -> int:
        """How many passes over the elements were begun, which decides shuffles."""
        return self._begun

    def set_state(self, state: int) -> None:
        """Let the next pass be that of a number.

        Args:
            state: what `get_state` returned, of an equal data set.
        """
        self._passes, self._begun = itertools.count(state), state

    def __iter__(self) -> DatasetIterator:
        return DatasetIterator(self, self._new_pass())

    def as_numpy_iterator(self) -> DatasetIterator:
        """A new pass over the elements, as plain arrays and numbers; text as bytes."""
        return DatasetIterator(self, self._new_pass(), as_numpy)

    def batches(self) -> DatasetIterator:
        """A new pass over the elements as they are, as `fit` takes them."""
        return DatasetIterator(self, self._new_pass(), None)

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element.

        Args:
            name: not used.

        Raises:
            ValueError: there is none, or more than one.
        """
        found = list(itertools.islice(self, 2))
        if len(found) != 1:
            many = "more than one" if found else "none"
            raise ValueError(f"get_single_element: expected one element, got {many}.")
        return found[0]

    def reduce(
        self,
        initial_state: Any,
        reduce_func: Callable[[Any, Any], Any],
        name: str | None = None,
    ) -> Any:
        """Combine all elements: `state = reduce_func(state, element)` for each.

        Args:
            initial_state: the first state.
            reduce_func: function of the state and an element.
            name: not used.
        """
        return map_arrays(
            as_data_array, functools.reduce(reduce_func, self, initial_state)
        )

    def cardinality(self, name: str | None = None) -> Any:
        """Number of elements; -1: endless, -2: unknown.

        Args:
            name: not used.
        """
        return as_data_array(np.int64(self._count))

    def __len__(self):
        if self._count < 0:
            kind = "endless" if self._count == INFINITE else "unknown"
            raise TypeError(
                f"The number of elements is {kind}. Count them in a loop, or give it "
                "by take(count)."
            )
        return self._count

    def __bool__(self):
        return True

    @property
    def element_spec(self) -> Any:
        """Shape and dtype of the arrays of the first element, as KerasTensors."""
        first = next(self._plain_elements(0), None)
        if first is None:
            raise ValueError("element_spec: the data set has no elements.")
        text = lambda x: x.dtype.kind == "O"  # noqa: E731
        return map_arrays(
            lambda x: KerasTensor(x.shape, "string" if text(x) else x.dtype), first
        )

    def __repr__(self):
        count = {INFINITE: "endless", UNKNOWN: "unknown"}.get(self._count, self._count)
        return f"<Dataset, elements: {count}>"

    def _stream(self, epoch, ahead=0):
        """The data set of Grain of one pass, to be read in order."""
        made = self._make(epoch).whole()
        return stages().as_stream(made.data, made.threads, ahead)

    def _plain_elements(self, epoch):
        """The elements of one pass as they are."""
        with contextlib.closing(iter(self._stream(epoch))) as items:
            yield from items

    def _through(self, function, count):
        """A data set of what a generator `function(epoch, elements)` yields."""

        def make(epoch):
            made = functools.partial(function, epoch)
            return Pipeline(stages().Stream(made, self._stream(epoch)))

        return self._derived(make, count)

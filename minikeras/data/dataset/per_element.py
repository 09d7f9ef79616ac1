"""Verbs of a `Dataset` that work on one element after the other."""

import functools
import itertools
import os
import weakref
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from minikeras.core.checks import positive_int
from minikeras.data.dataset.base import (
    UNKNOWN,
    DatasetBase,
    Pipeline,
    map_arrays,
    stages,
)
from minikeras.data.dataset.host_function import HostFunction
from minikeras.data.mapped_function import MappedFunction, call_on
from minikeras.data.worker_pool import ProcessFetcher

AUTOTUNE = -1


class PerElement(DatasetBase):
    """Mix-in of Dataset: `map`, `filter`, and what makes data sets of elements."""

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
        *,
        use_multiprocessing: bool = False,
    ) -> Self:
        """Apply a function to each element.

        Within, layers compute on the CPU and give NumPy arrays. Their seeds belong to
        the element, so that results do not depend on threads.

        Args:
            map_func: takes the parts of a tuple as arguments, other elements as one.
            num_parallel_calls: how many threads; `AUTOTUNE`: one for each core.
            deterministic: not used: the order is always kept.
            name: not used.
            use_multiprocessing: bool, processes instead of threads. They import the
                module of the function, and JAX only if that does.
        """
        threads = threads_of(num_parallel_calls)
        mapped: Any = MappedFunction(map_func)
        if use_multiprocessing:
            mapped, threads = _Processes(mapped), max(threads, 1)

        def make(epoch):
            made = self._make(epoch).whole()
            function = HostFunction(mapped, epoch, self._depth)
            if made.is_map:
                data = made.data.map_with_index(function)
                return Pipeline(data, max(made.threads, threads))
            numbered = stages().Stream(enumerate, made.data)
            return Pipeline(numbered.map(lambda pair: function(*pair)))

        return self._derived(make, self._count)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
        """Keep the elements for which a function is true.

        Args:
            predicate: takes an element as `map_func` does.
            name: not used.
        """
        mapped = MappedFunction(predicate)

        def make(epoch):
            keep = functools.partial(HostFunction(mapped, epoch), None)
            return Pipeline(self._stream(epoch).filter(lambda x: bool(keep(x))))

        return self._derived(make, UNKNOWN)

    def enumerate(self, start: int = 0, name: str | None = None) -> Self:
        """Pair each element with its number.

        Args:
            start: the first number.
            name: not used.
        """

        def make(epoch):
            made = self._make(epoch).whole()
            if made.is_map and self._count > 0:
                pair = lambda i, x: (np.int64(start + i % self._count), x)  # noqa: E731
                return made._replace(data=made.data.map_with_index(pair))
            number = lambda items: (  # noqa: E731
                (np.int64(i), x) for i, x in enumerate(items, start)
            )
            return Pipeline(stages().Stream(number, self._stream(epoch)))

        return self._derived(make, self._count)

    def flat_map(self, map_func: Callable[..., Self], name: str | None = None) -> Self:
        """Join the data sets that a function makes of the elements.

        Args:
            map_func: takes an element as in `map`; returns a `Dataset`.
            name: not used.
        """
        return self.interleave(map_func, cycle_length=1)

    def interleave(
        self,
        map_func: Callable[..., Self],
        cycle_length: int | None = None,
        block_length: int | None = None,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Read the data sets that a function makes of the elements, in turns.

        Args:
            map_func: takes an element as in `map`; returns a `Dataset`.
            cycle_length: how many data sets are open at once; None: one a core.
            block_length: elements of a data set before the next has its turn.
            num_parallel_calls, deterministic, name: not used: the order is kept.
        """
        width = os.cpu_count() if cycle_length in (None, AUTOTUNE) else cycle_length

        def elements(epoch, outer):
            opened = (call_on(map_func, x)._plain_elements(epoch) for x in outer)
            turns: list[Any] = list(itertools.islice(opened, width))
            while turns:
                for i, inner in enumerate(list(turns)):
                    block = list(itertools.islice(inner, block_length or 1))
                    yield from block
                    if not block:
                        turns[i] = next(opened, None)
                turns = [inner for inner in turns if inner is not None]

        return self._through(elements, UNKNOWN)

    def window(
        self,
        size: int,
        shift: int | None = None,
        stride: int = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """Cut the elements into windows: a `Dataset` of each array of an element.

        Args:
            size: elements of a window.
            shift: how far on the next window starts; None: `size`.
            stride: distance of the elements of a window.
            drop_remainder: bool, whether to leave out last smaller windows.
            name: not used.
        """
        size, stride = positive_int(size, "size"), positive_int(stride, "stride")
        step = size if shift is None else positive_int(shift, "shift")
        span = (size - 1) * stride + 1

        def elements(epoch, items):
            buffer = list(itertools.islice(items, span))
            while buffer:
                if drop_remainder and len(buffer) < span:
                    return
                chosen = buffer[:span:stride]
                yield map_arrays(lambda *rows: self._of(list(rows)), *chosen)
                buffer += itertools.islice(items, max(step + span - len(buffer), 0))
                del buffer[:step]

        return self._through(elements, UNKNOWN)


class _Processes:
    """Asks a worker process for the results of a function; each thread has its own."""

    def __init__(self, mapped):
        self._fetcher = ProcessFetcher(mapped)
        weakref.finalize(self, self._fetcher.end)

    def __getitem__(self, element):
        return self._fetcher(element)


def threads_of(num_parallel_calls: int | None) -> int:
    """How many threads `num_parallel_calls` asks for; 0: none but the reader's."""
    if num_parallel_calls == AUTOTUNE:
        return os.cpu_count() or 1
    return int(num_parallel_calls or 0)

"""Verbs of a `Dataset` that say which elements come, in which order and when."""

import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any, Self

from minikeras.core.checks import positive_int
from minikeras.data.dataset.base import (
    INFINITE,
    UNKNOWN,
    DatasetBase,
    Pipeline,
    stages,
)
from minikeras.data.dataset.per_element import AUTOTUNE
from minikeras.random.seed_generator import new_stream_seed


class Ordering(DatasetBase):
    """Mix-in of Dataset: order, choice and repetition of elements, and caches."""

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool = True,
        name: str | None = None,
    ) -> Self:
        """Mix the elements.

        Args:
            buffer_size: elements to draw the next one from, where the data set must be
                read in order. Otherwise all elements are mixed.
            seed: int; None takes another one for each call, which follows from
                `keras.utils.set_random_seed`. No generator moves.
            reshuffle_each_iteration: bool, whether each pass has another order.
            name: not used.

        Raises:
            ValueError: `buffer_size` is no positive int.
        """
        size = positive_int(buffer_size, "buffer_size")
        seed = new_stream_seed() if seed is None else int(seed)

        def make(epoch):
            made = self._make(epoch)
            number = epoch if reshuffle_each_iteration else 0
            if made.is_map and self._count != INFINITE:
                mixed_seed = (seed + 7919 * number) % 2**31
                data = made.data.shuffle(mixed_seed)
                again = reshuffle_each_iteration
                return made._replace(data=data if again else stages().SamePass(data))
            mix = lambda items: stages().mixed(items, size, (seed % 2**63, number))  # noqa: E731
            return Pipeline(stages().Stream(mix, self._stream(epoch)))

        return self._derived(make, self._count)

    def repeat(self, count: int | None = None, name: str | None = None) -> Self:
        """Go through the elements several times; shuffles have another order each time.

        Args:
            count: how many times; None or a negative number: endlessly.
            name: not used.
        """
        times = None if count is None or count < 0 else operator.index(count)
        if times == 0 or self._count == 0:
            return self._slice(0, 0)
        endless = INFINITE if times is None else times * self._count
        total = self._count if self._count < 0 and times is not None else endless

        def elements(epoch):
            rounds = itertools.count() if times is None else range(times)
            for i in rounds:
                is_empty = True
                for element in self._plain_elements(epoch + 104729 * i):
                    is_empty = False
                    yield element
                if is_empty:  # for ever
                    return

        def make(epoch):
            made = self._make(epoch)
            if made.is_map and self._count != INFINITE:
                return made._replace(data=made.data.repeat(times))
            return Pipeline(stages().Stream(functools.partial(elements, epoch)))

        return self._derived(make, total)

    def take(self, count: int, name: str | None = None) -> Self:
        """The first elements.

        Args:
            count: how many; negative: all.
            name: not used.
        """
        return self._slice(0, None if count < 0 else operator.index(count))

    def skip(self, count: int, name: str | None = None) -> Self:
        """Leave out the first elements.

        Args:
            count: how many; negative: all.
            name: not used.
        """
        if count < 0:
            return self._slice(0, 0)
        return self._slice(operator.index(count), None)

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Self:
        """Every `num_shards`th element.

        Args:
            num_shards: distance of the elements.
            index: number of the first, in 0..num_shards - 1.
            name: not used.

        Raises:
            ValueError: `index` is out of range.
        """
        if not 0 <= index < num_shards:
            raise ValueError(
                f"shard: expected an index in 0..{num_shards - 1}, got {index}."
            )
        return self._slice(index, None, num_shards)

    def _slice(self, start, stop, step=1):
        """Elements `start`, `start + step`, … before `stop`; None: to the end."""
        count = self._count
        if count >= 0:
            count = len(range(count)[start:stop:step])
        elif stop is not None:
            count = stop - start if count == INFINITE else UNKNOWN

        def make(epoch):
            made = self._make(epoch)
            if made.is_map and count != 0:
                return made._replace(data=made.data.slice(slice(start, stop, step)))
            cut = lambda items: itertools.islice(items, start, stop, step)  # noqa: E731
            return Pipeline(stages().Stream(cut, self._stream(epoch)))

        return self._derived(make, count)

    def concatenate(self, dataset: Self, name: str | None = None) -> Self:
        """The elements of this data set, then those of another.

        Args:
            dataset: the other.
            name: not used.
        """
        parts = (self, dataset)
        counts = [d._count for d in parts]
        count = min(counts) if min(counts) < 0 else sum(counts)

        def make(epoch):
            streams = [d._stream(epoch) for d in parts]
            return Pipeline(stages().Stream(itertools.chain, *streams))

        return self._derived(make, INFINITE if INFINITE in counts else count)

    def cache(self, filename: str = "", name: str | None = None) -> Self:
        """Keep the elements in memory when they are made first.

        What lies before, such as a shuffle, is the same in all passes.

        Args:
            filename: must be "": there is no cache on disk.
            name: not used.

        Raises:
            ValueError: `filename` is given.
        """
        if filename:
            raise ValueError(
                f"cache: expected no file name, got {filename!r}. Elements are kept in "
                "memory: cache(). To keep them on disk, write them to files of NumPy."
            )
        kept: dict[int, Any] = {}
        whole = stages().CachedElements()

        def make(epoch):
            made = self._make(0).whole()
            if made.is_map and self._count != INFINITE:
                return made._replace(data=stages().Cached(made.data, kept))
            source = functools.partial(self._plain_elements, 0)
            return Pipeline(stages().Stream(lambda: whole.read(source)))

        return self._derived(make, self._count)

    def prefetch(self, buffer_size: int, name: str | None = None) -> Self:
        """Make elements ahead, in threads.

        Args:
            buffer_size: how many; `AUTOTUNE`: two.
            name: not used.
        """
        ahead = 2 if buffer_size in (None, AUTOTUNE) else int(buffer_size)

        def make(epoch):
            data = self._stream(epoch, ahead)
            return Pipeline(stages().read_ahead(data, ahead) if ahead > 0 else data)

        return self._derived(make, self._count)

    def with_options(self, options: Any, name: str | None = None) -> Self:
        """The same data set: options of `tf.data` tune its own engine.

        Args:
            options: not used.
            name: not used.
        """
        return self

    def apply(self, transformation_func: Callable[[Self], Any]) -> Any:
        """What a function makes of the data set.

        Args:
            transformation_func: takes and returns a data set.
        """
        return transformation_func(self)

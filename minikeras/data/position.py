"""Where the reading of a source of data stands, so that another process can go on.

A position is plain data: the state at the begin of a pass, and how many batches the
pass has given. What a source cannot leave out is made again and dropped.
"""

import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from minikeras.core import random_state
from minikeras.core.plain_state import StateOf, state_methods


class Passes:
    """The passes over a source: where they begin, and how far the last one is.

    Attributes:
        batches: how many batches the pass has given.
        is_endless: bool, whether there is one pass for all epochs, as of a generator.
        leaves_out: bool, whether the source itself leaves out the batches that were
            given before; otherwise they are made again.
        runs_ahead: bool, whether workers make batches ahead, so that the state of the
            source is not that behind the last batch.
        source: `StateOf` the source, or another object with its methods; None: the
            source has no state.
        iterator: the same of the iterator of a pass.
    """

    is_endless = leaves_out = runs_ahead = False

    def __init__(self):
        self.batches = 0
        self.source: Any = None
        self.iterator: Any = None
        self._begin: Any = None  # the state at the begin of the pass, when recorded
        self._is_recording = False
        self._next: Any = None
        self.resumed: Any = None

    def record(self, source: StateOf | None = None) -> None:
        """From now on, note the state at the begin of each pass."""
        self._is_recording = True
        self.source = self.source or source

    def begin(self) -> int:
        """Begin a pass, or go on with one; returns how many batches it has given."""
        self.resumed, self._next = self._next, None
        if self.resumed is not None:
            self.batches, self._begin = self.resumed["batches"], self.resumed["begin"]
        elif not (self.is_endless and self.batches):
            self.batches = 0
            self._begin = self._state() if self._is_recording else None
        return self.batches

    def _state(self):
        source = None if self.source is None else self.source.get()
        return {"random": random_state.of(), "source": source}

    def position(self, is_open: bool) -> dict[str, Any]:
        """Where the reading stands, as plain data.

        Args:
            is_open: is a pass under way? Otherwise the next one begins there.
        """
        is_open = (is_open or self.is_endless) and self._begin is not None
        if is_open and self.runs_ahead:
            source = self._begin["source"]  # pyright: ignore
        else:
            source = None if self.source is None else self.source.get()
        if not is_open:
            return {"source": source}
        iterator = None if self.iterator is None else self.iterator.get()
        state = {"begin": self._begin, "batches": self.batches}
        return {**state, "source": source, "iterator": iterator}

    def iterate(self, source: Any) -> Iterator:
        """An iterator over a source; if one of them tells its position, it goes on."""
        tells = state_methods(source) is not None
        if tells:
            self.follow(source)
        iterator = iter(source)
        if not tells and state_methods(iterator) is not None:
            self.follow(iterator)
        return iterator

    def follow(self, iterator: Any) -> None:
        """Note where an object with state methods is; let it go on with the pass."""
        self.iterator = StateOf(iterator)
        if self.goes_on_by_iterator:
            self.iterator.set(self.resumed["iterator"])

    def go_on(self, position: dict[str, Any]) -> None:
        """Let the next pass start at a position of an equal source."""
        self._next = position if "batches" in position else None
        state = position["source"]
        if self._next is not None and not self.leaves_out:
            state = position["begin"]["source"]  # the pass itself begins anew
        if state is not None and self.source is not None:
            self.source.set(state)

    @property
    def goes_on_by_iterator(self) -> bool:
        """Does the pass go on where an iterator knows by itself?"""
        return self.resumed is not None and self.resumed["iterator"] is not None

    @property
    def given(self) -> int:
        """How many batches of the pass were given before it goes on here."""
        return 0 if self.resumed is None else self.resumed["batches"]

    def draw(self, draw: Callable[[], Any]) -> Any:
        """What a function draws for a pass; in one that goes on, what it drew then."""
        if self.resumed is None:
            return draw()
        with random_state.at(self.resumed["begin"]["random"]):
            return draw()


def batches_behind(passes: Passes, batches: Iterator) -> Iterator:
    """The batches of a pass that a source has not given yet.

    A source that cannot leave out the others makes them again, with the generators of
    Python and NumPy as at the begin of its pass.
    """
    resumed = passes.resumed
    if resumed is None or passes.leaves_out or passes.goes_on_by_iterator:
        return batches
    last = None
    with random_state.at(resumed["begin"]["random"]):
        for _ in range(resumed["batches"]):
            if (last := next(batches, None)) is None:
                break
    if last is None or checksum(last) != resumed.get("checksum"):
        warnings.warn(
            f"The data, made again from their begin, give another batch "
            f"{resumed['batches'] - 1} than in the training that goes on here. So the "
            "result may not be that of an undisturbed training. Let the source draw "
            "from a seeded generator of its own, np.random.default_rng(seed), or give "
            "it get_state() and set_state(state).",
            stacklevel=2,
        )
    return batches


def checksum(batch: Any) -> int:
    """A number that differs, but for one case in 2^32, between unequal batches."""
    total = 0
    for leaf in jax.tree_util.tree_leaves(batch):
        array = np.asarray(leaf)
        data = repr(array.tolist()).encode() if array.dtype.hasobject else array
        total = zlib.crc32(np.ascontiguousarray(data).tobytes(), total)
    return total

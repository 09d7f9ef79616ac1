"""The states of random generators of Python, NumPy and torch, as plain data."""

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


def of(generator: Any = None) -> Any:
    """The state of a generator, or of the global ones.

    Args:
        generator: `random.Random`, `np.random.Generator` or `np.random.RandomState`;
            None: the global generators, that of torch only if it is imported.

    Returns:
        Dicts, tuples, numbers and arrays.
    """
    if generator is None:
        state: dict[str, Any] = {"python": _python(random), "numpy": _numpy(np.random)}
        # The orders of a DataLoader come from it.
        if (torch := sys.modules.get("torch")) is not None:
            state["torch"] = torch.get_rng_state().numpy()
        return state
    if isinstance(generator, random.Random):
        return _python(generator)
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return _numpy(generator)


def _python(module_or_generator):
    # An array: as 625 numbers of JSON the state would take ten times the room.
    version, words, gauss = module_or_generator.getstate()
    return version, np.array(words, "uint32"), gauss


def _numpy(module_or_generator):
    return module_or_generator.get_state(legacy=False)


def set_to(state: Any, generator: Any = None) -> None:
    """Give a generator, or the global ones, a state that `of` returned."""
    if generator is None:
        set_to(state["python"], random)
        np.random.set_state(state["numpy"])
        torch = sys.modules.get("torch")
        if torch is not None and "torch" in state:
            torch.set_rng_state(torch.from_numpy(state["torch"].copy()))
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        version, words, gauss = state
        generator.setstate((version, tuple(words.tolist()), gauss))


@contextlib.contextmanager
def at(state: Any) -> Iterator[None]:
    """Let the global generators begin at a state; at the end they are as before."""
    before = of()
    set_to(state)
    try:
        yield
    finally:
        set_to(before)

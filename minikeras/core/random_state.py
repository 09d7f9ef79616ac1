"""The states of random generators of Python and NumPy, as plain data."""

import random
from typing import Any

import numpy as np


def of(generator: Any = None) -> Any:
    """The state of a generator, or of both global ones.

    Args:
        generator: `random.Random`, `np.random.Generator` or `np.random.RandomState`;
            None: the global generators.

    Returns:
        Dicts, tuples, numbers and arrays.
    """
    if generator is None:
        return {"python": _python(random), "numpy": _numpy(np.random)}
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
    """Give a generator, or both global ones, a state that `of` returned."""
    if generator is None:
        set_to(state["python"], random)
        np.random.set_state(state["numpy"])
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        version, words, gauss = state
        generator.setstate((version, tuple(words.tolist()), gauss))

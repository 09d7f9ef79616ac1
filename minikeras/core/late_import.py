"""Third-party modules that are imported where they are used.

Some libraries draw from the global generators while they are imported (rich takes a
number from Python's `random`). After `random.seed`, a program would get other numbers
with a `summary()` than without it. So such an import leaves both generators unchanged.
"""

import contextlib
import importlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def restored_random_state() -> Iterator[None]:
    """Give Python's and NumPy's global generators back their states at the end."""
    # Python's state is a tuple of 625 numbers, numpy's an array of 624: to copy both
    # and set them takes 0.2 ms, so nothing does it on each call.
    python, numpy = random.getstate(), np.random.get_state(legacy=False)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def late_import(name: str) -> Any:
    """Import a module, such as `"scipy.signal"`; no generator moves, even on failure.

    >>> late_import("os.path").basename("a/b")
    'b'
    """
    if name in sys.modules:
        return importlib.import_module(name)
    with restored_random_state():
        return importlib.import_module(name)

"""Third-party modules that are imported where they are used.

Some libraries draw from the global generators while they are imported (rich takes a
number from Python's `random`). Whoever seeded these would get other numbers after a
`summary()` than without it, so such an import leaves both as they were.
"""

import contextlib
import importlib
import random
import sys
from typing import Any

import numpy as np


@contextlib.contextmanager
def draws_undone():
    """Give Python's and NumPy's global generators back their states at the end."""
    python, numpy = random.getstate(), np.random.get_state(legacy=False)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def late_import(name: str) -> Any:
    """The module `name`, such as `"scipy.signal"`; draws nothing, also if it fails.

    >>> late_import("os.path").basename("a/b")
    'b'
    """
    if name in sys.modules:  # the usual case: no states to copy
        return importlib.import_module(name)
    with draws_undone():
        return importlib.import_module(name)

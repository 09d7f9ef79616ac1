"""Unique names: `dense`, `dense_1`, … as Keras counts them."""

import collections
import re
import threading
from typing import Any


class _Counts(threading.local):
    """How often each name was taken, and which warnings were given.

    Each thread has its own counts, as in Keras: the layers of a model have the same
    names whatever other threads build at that time.
    """

    def __init__(self):
        self.warned: set[tuple] = set()  # keys of `first_time`
        self.of: collections.defaultdict[str, int] = collections.defaultdict(int)


_counts = _Counts()


def to_snake_case(name: str) -> str:
    """Turn CamelCase into snake_case.

    >>> to_snake_case("MaxPooling2D"), to_snake_case("ReLU")
    ('max_pooling2d', 're_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def uniquify(name: str) -> str:
    """The name itself the first time, then `name_1`, `name_2`, …"""
    count = _counts.of[name]
    _counts.of[name] += 1
    return name if count == 0 else f"{name}_{count}"


def auto_name(prefix: str) -> str:
    """A unique snake-case name for an object of the class `prefix`."""
    return uniquify(to_snake_case(prefix))


def get_uid(prefix: str = "") -> int:
    """Count the calls with this prefix, from 1.

    Args:
        prefix: string; names that were made unique count, too.

    >>> get_uid("a_prefix_of_my_own"), get_uid("a_prefix_of_my_own")
    (1, 2)
    """
    _counts.of[prefix] += 1
    return _counts.of[prefix]


def first_time(*key: Any) -> bool:
    """Is this the first call with this key? Used for warnings that come once a layer.

    A layer is traced several times, with other shapes each time. Python's own filter
    compares the text of warnings, which holds the shapes, so it would show them all.
    """
    if key in _counts.warned:
        return False
    _counts.warned.add(key)
    return True


def reset_uids() -> None:
    """Start every count again."""
    _counts.of.clear()
    _counts.warned.clear()

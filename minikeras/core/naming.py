"""Unique names: `dense`, `dense_1`, … as Keras counts them."""

import collections
import re
import threading


class _Counts(threading.local):
    """How often each name was taken; each thread counts for itself, as in Keras, so
    that a model built in a thread is named as if it were alone."""

    def __init__(self):
        self.told: set[tuple] = set()  # what was said once of an object of a name
        self.of: collections.defaultdict[str, int] = collections.defaultdict(int)


_counts = _Counts()


def to_snake_case(name: str) -> str:
    """CamelCase -> snake_case.

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
    """Unique snake-case name for an object of a class called `prefix`."""
    return uniquify(to_snake_case(prefix))


def get_uid(prefix: str = "") -> int:
    """Count upwards from 1 for each prefix."""
    _counts.of[prefix] += 1
    return _counts.of[prefix]


def first_time(*key) -> bool:
    """Is it the first time that this is asked? For what is said once of a layer.

    A layer is traced several times, with shapes that differ, so Python's own filter,
    which goes by the text, lets the same warning through each time.
    """
    if key in _counts.told:
        return False
    _counts.told.add(key)
    return True


def reset_uids() -> None:
    """Start every count again."""
    _counts.of.clear()
    _counts.told.clear()

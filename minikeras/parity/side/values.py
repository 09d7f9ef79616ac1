"""Numbers of a run, as numpy arrays that travel to another process."""

import hashlib
import random
from typing import Any

import numpy as np

# Elements of an array that are kept, evenly spaced: the outputs of a run over all of a
# data set, and large embeddings, would fill memory.
MAX_ELEMENTS = 1 << 22
# Numbers that one event draws at most, in blocks of 624, for them to be counted.
_MAX_BLOCKS = 4096


def to_numpy(x: Any) -> np.ndarray:
    """A tensor or variable of any backend; half precision as float32."""
    if callable(detach := getattr(x, "detach", None)):  # torch
        x = detach().cpu()
        x = x.float() if "16" in str(x.dtype) and x.is_floating_point() else x
    elif hasattr(x, "numpy") and not isinstance(x, np.ndarray):
        x = x.numpy()
    x = np.asarray(x)
    is_extended = x.dtype.kind == "V" or x.dtype.name.startswith(("bfloat", "float8"))
    return x.astype("float32") if is_extended or x.dtype == np.float16 else x


def kept(x: Any) -> np.ndarray:
    """The array, or evenly spaced elements of a large one."""
    x = to_numpy(x)
    if x.size > MAX_ELEMENTS:
        x = x.ravel()[:: -(-x.size // MAX_ELEMENTS)]
    return np.array(x)  # a copy: buffers are reused by the next step


def flat(tree: Any, path: str = "") -> dict[str, Any]:
    """{path: leaf} of nested dicts, lists and tuples; None has no leaf."""
    if tree is None:
        return {}
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, (list, tuple)):
        items = enumerate(tree)
    else:
        return {path: tree}
    found = {}
    for key, value in items:
        found |= flat(value, f"{path}/{key}" if path else str(key))
    return found


class Draws:
    """How often a program drew from `random` and `np.random` since last asked."""

    def __init__(self):
        self._states = self._now()

    @staticmethod
    def _now():
        _, python, _ = random.getstate()
        _, key, position, *_ = np.random.get_state()
        return {
            "random": (np.array(python[:-1], "uint32"), python[-1]),
            "np.random": (np.array(key, "uint32"), position),
        }

    def since(self) -> dict[str, Any]:
        """{generator: (words drawn, None after a new seed; digest of its state)}"""
        now, before = self._now(), self._states
        self._states = now
        return {
            name: (_words(before[name], state), _digest(state))
            for name, state in now.items()
        }


def _digest(state):
    key, position = state
    return hashlib.sha1(key.tobytes() + str(position).encode()).hexdigest()[:16]


def _words(before, after):
    """Words that a Mersenne twister gave between two states; None: it was seeded."""
    (key, position), (last_key, last_position) = before, after
    if np.array_equal(key, last_key):
        return last_position - position if last_position >= position else None
    twister = np.random.MT19937(0)
    twister.state = {
        "bit_generator": "MT19937",
        "state": {"key": key, "pos": 624},
    }
    drawn = 624 - position
    for _ in range(_MAX_BLOCKS):
        twister.random_raw(1)  # makes the next 624 words
        if np.array_equal(twister.state["state"]["key"], last_key):
            return drawn + last_position
        twister.random_raw(623)
        drawn += 624
    return None

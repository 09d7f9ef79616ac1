"""Logs: numbers that stay on the device until somebody reads them."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np


def to_python(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Fetch logs: {name: float, int or array on the host}, sorted by name.

    A metric that returns a dict adds its entries, as in Keras.
    """
    found = {}
    # One transfer for all: each waits for the device.
    for key, value in sorted(jax.device_get(dict(logs)).items()):
        found |= to_python(value) if isinstance(value, dict) else {key: _number(value)}
    return found


def _number(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        return value.item()
    return value


class LazyLogs(dict):
    """A dict that computes its content on first use.

    A callback that does not read it costs no transfer and no wait for the device.

    Args:
        fetch: function without arguments that returns the content.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Any]]):
        super().__init__()
        self._fetch = fetch

    def _load(self):
        """Fill in the content, once."""
        if self._fetch is not None:
            fetch, self._fetch = self._fetch, None
            super().update(fetch())
        return self

    def __reduce__(self):  # a plain dict: `fetch` refers to arrays of the device
        return dict, (dict(self._load().items()),)


def _loading(name):
    """The method `name` of dict, which first fills in the content."""
    method = getattr(dict, name)

    def call(self, *args, **kwargs):
        return method(self._load(), *args, **kwargs)

    call.__name__ = name
    return call


_METHODS = """__getitem__ __setitem__ __delitem__ __contains__ __iter__ __len__ __eq__
    __ne__ __repr__ __or__ __ror__ __ior__ get items keys values pop popitem update
    setdefault copy clear __reversed__"""
for _name in _METHODS.split():
    setattr(LazyLogs, _name, _loading(_name))

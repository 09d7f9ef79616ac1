"""Logs: numbers that stay on the device until somebody reads them."""

import jax
import numpy as np


def to_python(logs) -> dict:
    """{name: float, int or array on the host}, sorted by name; dicts within join in."""
    found = {}
    for key, value in sorted(jax.device_get(dict(logs)).items()):
        found |= to_python(value) if isinstance(value, dict) else {key: _number(value)}
    return found


def _number(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        return value.item()
    return value


class LazyLogs(dict):
    """A dict that computes its content on first use.

    A callback that does not look costs nothing: no transfer, no wait for the device.
    """

    def __init__(self, fetch):
        super().__init__()
        self._fetch = fetch

    def _load(self):
        if self._fetch is not None:
            fetch, self._fetch = self._fetch, None
            super().update(fetch())
        return self

    def __reduce__(self):
        return dict, (dict(self._load().items()),)


def _loading(name):
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

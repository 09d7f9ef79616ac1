"""A plugin of pytest that writes down how close two packages come in each test.

`pytest -p compat.gallery.recorder --gallery FILE compat` adds a line of JSON to FILE
for each test. It looks at what numpy.testing compares; no test knows of it.
"""

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest

HALF = ("float16", "bfloat16")
_EXACT = ("assert_array_equal", "assert_equal")


def distance(ours, theirs, rtol=None, atol=0.0):
    """How far apart two arrays are that `assert_allclose` takes as close.

    Args:
        ours, theirs: arrays of numbers.
        rtol, atol: the tolerances; no `rtol` where the caller gave none.

    Returns:
        The largest difference, as a share of the size of the result: its largest entry,
        or the size below which `atol` is what counts, if that is greater; and how much
        of what the tolerances allow is used, 1 at most.
    """
    a, b = (_numbers(x) for x in (ours, theirs))
    a, b = np.broadcast_arrays(a, b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    difference = np.abs(np.where(same, 0, a) - np.where(same, 0, b))
    largest = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
    size = max(largest, atol / rtol if rtol else 0.0) or atol or 1.0
    allowed = atol + (1e-7 if rtol is None else rtol) * np.abs(b)
    share = np.divide(difference, allowed, out=np.zeros(same.shape), where=~same)
    used = [np.max(x, initial=0.0) for x in (difference / size, share)]
    return float(used[0]), float(used[1])  # xdist sends no numbers of NumPy


def _numbers(x):
    x = np.asarray(x)
    return x.astype("complex128" if x.dtype.kind == "c" else "float64")


@contextlib.contextmanager
def recording(found):
    """Append (precision, difference, share of the tolerance) of each comparison.

    Args:
        found: list; only comparisons that hold are appended.
    """
    kept = {name: getattr(np.testing, name) for name in (*_EXACT, "assert_allclose")}

    def exact(compare):
        def wrapped(actual, desired, *args, **kwargs):
            compare(actual, desired, *args, **kwargs)
            found.append((_precision(actual, desired), 0.0, 0.0))

        return wrapped

    def close(actual, desired, rtol=None, atol=0.0, *args, **kwargs):
        given = {} if rtol is None else {"rtol": rtol}
        kept["assert_allclose"](actual, desired, *args, atol=atol, **given, **kwargs)
        precision = _precision(actual, desired, kwargs.get("err_msg", ""))
        found.append((precision, *distance(actual, desired, rtol, atol)))

    try:
        for name in _EXACT:
            setattr(np.testing, name, exact(kept[name]))
        np.testing.assert_allclose = close
        yield
    finally:
        for name, function in kept.items():
            setattr(np.testing, name, function)


def _precision(actual, desired, message=""):
    """half or full; a test that compares in float64 may name the dtype in a message."""
    dtypes = {message, *(str(getattr(x, "dtype", "")) for x in (actual, desired))}
    return "half" if dtypes & set(HALF) else "full"


def summary(found):
    """{"comparisons", "equal", "full" and "half": [difference, share]} of a test."""
    worst = {}
    for precision, *pair in found:
        worst[precision] = list(map(max, worst.get(precision, pair), pair))
    equal = all(difference == 0.0 for _, difference, _ in found)
    return {"comparisons": len(found), "equal": equal, **worst}


class Recorder:
    """The hooks.

    Args:
        file: path, to which lines are added; None in a worker of pytest-xdist, whose
            reports reach the process that has a file.
    """

    def __init__(self, file):
        self.file = file

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        """Record the comparisons of a test."""
        found = []
        try:
            with recording(found):
                return (yield)
        finally:
            item.user_properties.append(("gallery", summary(found)))

    def pytest_runtest_logreport(self, report):
        """Write the line of a test."""
        measured = dict(report.user_properties).get("gallery")
        if self.file is None or report.when != "call" or measured is None:
            return
        line = {"id": report.nodeid, "outcome": report.outcome, **measured}
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def pytest_addoption(parser):
    """Declare --gallery."""
    parser.addoption("--gallery", metavar="FILE", help="record what tests compare")


def pytest_configure(config):
    """Record if asked for."""
    if file := config.getoption("gallery"):
        is_worker = hasattr(config, "workerinput")
        config.pluginmanager.register(Recorder(None if is_worker else Path(file)))

"""pytest plugin: imports the tests of the suite and records every outcome.

`processes.py` loads it with `-p`, and names a JSON file in CONFORMANCE_JOB:
  target   package under test
  suite    the `keras/src` folder that holds the test files
  out      file of JSON lines: {"start": id} and a record for each test
  done     ids that have a record already; they are not run again
  skip     patterns of ids to leave out ("!pattern": to keep after all)
  only     patterns of ids to run; empty: all
  timeout  seconds for a test
"""

import builtins
import fnmatch
import importlib
import json
import os
import re
import signal
import time
import types
import unittest
from pathlib import Path

import pytest

from compat.conformance.shim import imports, placeholders
from compat.conformance.shim.placeholders import installed


def stable_id(item):
    """The id of a test; addresses in it, which differ in each process, are left out."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x", item.nodeid)


class Overtime(BaseException):
    """A test took longer than its limit; no `except Exception` may catch this."""


class SuiteModule(pytest.Module):
    """A test file, imported under its `keras.src` name wherever it lies."""

    judge = None

    def _getobj(self):
        path = self.path.relative_to(self.judge.suite)
        name = ".".join(["keras", "src", *path.with_suffix("").parts])
        try:
            return importlib.import_module(name)
        except placeholders.PrivateKerasAPI as error:
            self.judge.write(id=f"{path.as_posix()}::*", o="private", m=str(error))
            return types.ModuleType("empty")


class Judge:
    """The hooks of pytest, with what they share.

    Args:
        job: dict, the content of the file in CONFORMANCE_JOB.
    """

    def __init__(self, job):
        self.target, self.suite = job["target"], Path(job["suite"])
        self.done, self.timeout = set(job["done"]), job["timeout"]
        self.skip, self.only = job["skip"], job["only"]
        self.file = open(job["out"], "a", buffering=1)
        self.record = {}  # of the test that runs

    def write(self, **event):
        """Append an event to the file of outcomes."""
        self.file.write(json.dumps(event) + "\n")

    def pytest_pycollect_makemodule(self, module_path, parent):
        """Import test files through the shim."""
        module = SuiteModule.from_parent(parent, path=module_path)
        module.judge = self
        return module

    def pytest_collect_directory(self, path, parent):
        """Never run the suite's `__init__.py` files."""
        return pytest.Dir.from_parent(parent, path=path)

    def pytest_collectreport(self, report):
        """Record a file that cannot be imported as one test, `file::*`."""
        if report.outcome != "passed" and report.nodeid.endswith(".py"):
            outcome = "skipped" if report.skipped else "error"
            text = str(report.longrepr)[-600:]
            self.write(id=report.nodeid + "::*", o=outcome, m=text)

    def pytest_collection_modifyitems(self, config, items):
        """Leave out what is done, not chosen, or excluded."""
        items[:] = [item for item in items if self._runs(stable_id(item))]
        for item in items:
            if item.get_closest_marker("multi_device"):
                import jax

                if jax.device_count() < 2:
                    item.add_marker(pytest.mark.skip(reason="needs several devices"))

    def _runs(self, test):
        if test in self.done:
            return False
        if self.only and not any(fnmatch.fnmatchcase(test, p) for p in self.only):
            return False
        for pattern in self.skip:
            if fnmatch.fnmatchcase(test, pattern.removeprefix("!")):
                return pattern.startswith("!")
        return True

    def pytest_runtestloop(self, session):
        """From now on a private name raises."""
        placeholders.state.collecting = False

    def pytest_sessionfinish(self, session, exitstatus):
        """Tell the parent that the process came to its end."""
        self.write(end=int(exitstatus))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        """Run a test under an alarm; write its record."""
        self.write(start=stable_id(item))
        placeholders.state.private = None
        self.record = {"id": stable_id(item), "o": None, "m": ""}
        begin = time.time()
        signal.signal(signal.SIGALRM, self._alarm)
        signal.setitimer(signal.ITIMER_REAL, self.timeout)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.write(**self.record, t=round(time.time() - begin, 2))

    def _alarm(self, signum, frame):
        raise Overtime(f"longer than {self.timeout:g} s")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Note the outcome; the first phase that does not pass decides."""
        report = yield
        record = self.record
        if report.outcome == "passed":
            if call.when == "call":
                record["o"] = record["o"] or "passed"
        elif report.outcome == "skipped":
            record.update(o="skipped", m=str(report.longrepr)[-200:])
        elif record["o"] in (None, "passed"):
            kind = call.excinfo and self._classify(call.excinfo)
            value = call.excinfo.value if call.excinfo else report.longrepr
            message = f"{type(value).__name__}: {value}"[:300]
            if kind == "private":
                message = f"{placeholders.state.private} | {message}"
            record["o"] = kind or ("failed" if call.when == "call" else "error")
            record["m"] = message
        return report

    def _classify(self, excinfo):
        """Kind of a failure that is not the target's; None if it is."""
        chain = _chain(excinfo.value)
        if isinstance(
            excinfo.value,
            (pytest.skip.Exception, unittest.SkipTest, pytest.xfail.Exception),
        ):
            return "skipped"
        if any(isinstance(e, Overtime) for e in chain):
            return "timeout"
        private = any(isinstance(e, placeholders.PrivateKerasAPI) for e in chain)
        if private or placeholders.state.private:
            return "private"
        if any(self._lacks_package(e) for e in chain):
            return "skipped"
        return "private" if self._private_attribute(excinfo) else None

    def _lacks_package(self, error):
        """An optional package is not installed: that says nothing about the target."""
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.partition(".")[0]
            return package not in ("keras", self.target) and not installed(package)
        return isinstance(error, ImportError) and "pip install" in str(error)

    def _private_attribute(self, excinfo):
        """The test itself reached for `obj._name` of an object of the target."""
        error = excinfo.value
        if not isinstance(error, AttributeError):
            return False
        patched = re.search(r"does not have the attribute '(\w+)'", str(error))
        if patched:  # mock.patch.object(obj, "_name")
            return patched.group(1).startswith("_")
        name = error.name or ""
        if not name.startswith("_") or name.startswith("__"):
            return False
        owner = error.obj if isinstance(error.obj, type) else type(error.obj)
        package = str(getattr(owner, "__module__", "")).partition(".")[0]
        in_test = str(excinfo.traceback[-1].path).startswith(str(self.suite))
        return in_test and package == self.target


def _chain(error):
    """An error and all it was raised from."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


def suite_import(real_import):
    """`__import__` that gives test files a stand-in for a package not installed.

    A file that imports TensorFlow or torch is collected all the same; a test that uses
    the stand-in is skipped. Only imports in files of the suite are changed: the target
    and all libraries see the truth.

    Args:
        real_import: Python's `__import__`.
    """
    # Tests import one function of a conftest.py that the wheel does not hold.
    conftest = types.ModuleType("conftest")
    conftest.skip_if_backend = lambda backend, reason: pytest.mark.skipif(
        backend == "jax", reason=reason
    )

    def import_(name, globals=None, locals=None, fromlist=(), level=0):
        importer = (globals or {}).get("__name__") or ""
        in_suite = importer.startswith("keras.src.") and (
            importer.endswith("_test") or ".testing" in importer
        )
        if in_suite and level == 0:
            package = name.partition(".")[0]
            if name == "conftest":
                return conftest
            if package != "keras" and not installed(package):
                return placeholders.not_installed(name if fromlist else package)
        return real_import(name, globals, locals, fromlist, level)

    return import_


def pytest_configure(config):
    """Install the shim and the hooks, in a process that has a job."""
    job = json.loads(Path(os.environ["CONFORMANCE_JOB"]).read_text())
    for name in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{name}: a marker of the suite")
    builtins.__import__ = suite_import(builtins.__import__)
    imports.install(job["target"], job["suite"])
    config.pluginmanager.register(Judge(job), "conformance-judge")

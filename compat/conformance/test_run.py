"""Real runs of a few tests, and the tests that a change concerns."""

import json

import pytest

from compat.conformance import processes, suite
from compat.conformance.__main__ import main

FILE = "constraints/constraints_test.py"
# The package under test is minikeras with one fault.
PLANTED = """
import sys
import minikeras

minikeras.constraints.UnitNorm.__call__ = lambda self, w: w
sys.modules[__name__] = minikeras
"""


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Name of a package that is minikeras with a fault."""
    (tmp_path / "planted.py").write_text(PLANTED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "planted"


def test_a_fault_planted_in_the_package_is_named(planted, tmp_path, capsys):
    out, work = tmp_path / "results.json", tmp_path / "work"
    command = ["--only", FILE, "--target", planted, "--jobs", "1"]
    code = main([*command, "--out", str(out), "--work", str(work)])
    told = capsys.readouterr().out.splitlines()
    regressions = [line for line in told if line.startswith("regression")]
    assert code == 1
    assert len(regressions) == 1
    assert regressions[0].startswith(
        f"regression: {FILE}::ConstraintsTest::test_unit_norm (failed) AssertionError"
    )
    records = json.loads(out.read_text())["tests"]
    assert sum(r["o"] == "passed" for r in records.values()) == len(records) - 1 == 16


CUMULATIVE = [
    f"ops/numpy_test.py::*test_{name}*"
    for name in ("cumprod", "cumsum", "nancumprod", "nancumsum")
]
CRASHES = """
import os
import time
import unittest

import pytest


@pytest.mark.parametrize("value", [object()], ids=repr)
def test_f(value):
    pass


class T(unittest.TestCase):
    def test_a(self):
        pass

    def test_b(self):
        os._exit(3)

    def test_c(self):
        time.sleep(60)

    def test_d(self):
        from keras.src.layers.layer import some_private_name

        some_private_name(1)

    def test_e(self):
        from keras.src.losses.losses import Hinge

        assert Hinge.__module__.startswith("json")
"""


def test_a_crash_and_a_hang_cost_one_test_each(tmp_path):
    source, work = tmp_path / "keras" / "src", tmp_path / "work"
    for folder in (source / "losses", source / "layers", work):
        folder.mkdir(parents=True)
    (source / "losses" / "a_test.py").write_text(CRASHES)
    (source / "layers" / "layer.py").write_text("def some_private_name(x): return x\n")
    (source / "losses" / "losses.py").write_text(
        '@keras_export("keras.JSONDecoder")\nclass Hinge: pass\n'
    )
    stale = {"id": "losses/a_test.py::T::test_z", "o": "passed"}
    (work / "0.jsonl").write_text(json.dumps(stale) + "\n")
    # The package under test is Python's `json`: quick to import, and no Keras.
    job = {
        "target": "json",
        "suite": str(source),
        "timeout": 0.3,
        "skip": [],
        "only": [],
    }
    records = processes.run(suite.test_files(source), job, work, jobs=1)
    found = {test.rpartition("_")[2]: r["o"] for test, r in records.items()}
    assert found == {
        "a": "passed",
        "b": "error",
        "c": "timeout",
        "d": "private",
        "e": "passed",
        "f[<object object at 0x>]": "passed",
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("minikeras/layers/core/dense.py", ["layers/core/*"]),
        ("minikeras/layers/recurrent/lstm.py", ["layers/rnn/*"]),
        ("minikeras/losses/regression.py", ["losses/*"]),
        ("minikeras/optimizers/schedules/cosine.py", ["optimizers/schedules/*"]),
        ("minikeras/training/feed/chunks.py", ["models/*", "trainers/*"]),
        ("minikeras/ops/cumulative.py", CUMULATIVE),
        ("minikeras/visualization/draw.py", []),
        ("docs/design.md", []),
        ("tests/losses/test_losses.py", []),
    ],
)
def test_a_change_concerns_the_tests_of_its_folder(changed, expected):
    assert suite.concerned([changed], suite.find_suite()) == expected


def test_every_file_of_the_package_concerns_tests_that_exist():
    source = suite.find_suite()
    files, rooms = suite.test_files(source), set()
    for path in (suite.ROOT / "minikeras").rglob("*.py"):
        patterns = suite.concerned([path.relative_to(suite.ROOT).as_posix()], source)
        for pattern in patterns:
            of_files = [pattern.partition("::")[0]]
            assert any(suite.matches(f, of_files) for f in files), (path, pattern)
        rooms |= {path.relative_to(suite.ROOT).parts[1]} if patterns else set()
    assert {"callbacks", "ops", "saving", "tree", "utils", "version.py"} <= rooms


def test_a_change_of_the_core_concerns_a_sample_of_all():
    files = suite.test_files(
        suite.find_suite(),
        suite.concerned(["minikeras/core/bridge.py"], suite.find_suite()),
    )
    for name in ("layers/core/dense_test.py", "trainers/trainer_test.py"):
        assert name in files
    assert "ops/numpy_test.py" not in files


def test_an_unknown_commit_is_refused():
    with pytest.raises(SystemExit, match="no such commit"):
        suite.changed_files("no-such-commit")


def test_tests_of_other_backends_are_left_out():
    files = suite.test_files(suite.find_suite())
    assert "losses/losses_test.py" in files
    assert not [f for f in files if f.startswith(("export/", "backend/tensorflow/"))]

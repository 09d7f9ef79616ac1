"""The recorder measures what it should, and the page is that of the summary."""

import importlib.util
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from compat.gallery import recorder, summary

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import numpy as np, pytest

def test_close():
    np.testing.assert_allclose([2.0, 4.002], [2.0, 4.0], rtol=1e-3)
    np.testing.assert_array_equal([1, 2], [1, 2])

def test_equal():
    np.testing.assert_allclose([1.0, np.nan], [1.0, np.nan])

def test_wrong():
    np.testing.assert_allclose([1.0], [2.0])

def test_nothing():
    assert 1 + 1 == 2

def test_left_out():
    pytest.skip("no reason")
"""


def page_builder():
    script = ROOT / "scripts" / "build_parity_docs.py"
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("ours", "theirs", "tolerances", "expected"),
    [
        ([8.0, 0.004], [8.0, 0.0], {"rtol": 1e-3}, (0.0005, np.inf)),
        ([8.0, 0.004], [8.0, 0.0], {"rtol": 1e-3, "atol": 0.008}, (0.0005, 0.5)),
        ([0.001], [0.003], {"rtol": 1e-2, "atol": 0.02}, (0.001, 0.002 / 0.02003)),
        ([3.0], [0.0], {"atol": 4.0}, (0.75, 0.75)),
        ([np.inf, np.nan, 1.0], [np.inf, np.nan, 1.0], {}, (0.0, 0.0)),
        ([3 + 4j], [0.0 + 5j], {"atol": 5.0}, (10**0.5 / 5, 10**0.5 / 5)),
        ([], [], {}, (0.0, 0.0)),
        (7, [[7, 7], [7, 9]], {"atol": 4}, (2 / 9, 0.5)),
    ],
)
def test_distance(ours, theirs, tolerances, expected):
    with np.errstate(divide="ignore"):
        found = recorder.distance(ours, theirs, **tolerances)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_comparisons_that_hold_are_recorded():
    before, found = vars(np.testing).copy(), []
    half = np.float16([1.5, -2.0])
    with recorder.recording(found):
        np.testing.assert_array_equal(half, half)
        np.testing.assert_equal({"a": [1, 2]}, {"a": [1, 2]})
        np.testing.assert_allclose([3.0], [2.0], atol=4, err_msg="bfloat16")
        np.testing.assert_allclose([3.0], [2.0], 1)
        with pytest.raises(AssertionError):
            np.testing.assert_allclose([3.0], [2.0])
        with pytest.raises(AssertionError):
            np.testing.assert_array_equal([3.0], [2.0])
    kinds = [(precision, difference) for precision, difference, _ in found]
    assert kinds == [("half", 0.0), ("full", 0.0), ("half", 0.5), ("full", 0.5)]
    assert vars(np.testing) == before
    measured = recorder.summary(found)
    assert (measured["comparisons"], measured["equal"]) == (4, False)
    assert (measured["full"], measured["half"][0]) == ([0.5, 0.5], 0.5)


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "worker"])
def test_a_run_is_recorded(tmp_path, workers):
    (tmp_path / "test_losses_parity.py").write_text(PROGRAM)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *workers, "-p"]
        + ["compat.gallery.recorder", "--gallery", "lines", "test_losses_parity.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    records = summary.read((tmp_path / "lines").read_text().splitlines())
    row = summary.summarize(records.values())["losses"]
    assert row.pop("full") == [5e-4, 0.5, "test_losses_parity.py::test_close"]
    assert row == {
        **{"cases": 3, "skipped": 1, "failed": 1, "comparisons": 3},
        **{"without arrays": 1, "equal": 1, "half": None},
    }


def test_a_summary_is_updated(tmp_path):
    line = {"id": "compat/test_draws.py::x", "outcome": "passed", "comparisons": 0}
    (tmp_path / "a.jsonl").write_text(json.dumps({**line, "equal": True}))
    verdict = {"script": str(ROOT / "examples" / "digits.py"), "against": "keras-jax"}
    verdict |= {"kind": "rounding", "same": True, "calls": [["fit", 1e-7]] * 3}
    (tmp_path / "b.json").write_text(json.dumps({**verdict, "worst": 1.23e-7}))
    old = {"families": {"losses": 1, "random draws": 2}, "scripts": {"z.py": 3}}
    new = summary.update(old, [tmp_path / "a.jsonl", tmp_path / "b.json"])
    assert list(new["families"]) == ["losses", "random draws"]
    assert new["families"]["losses"] == 1
    assert new["families"]["random draws"]["cases"] == 1
    row = {"against": "keras-jax", "kind": "rounding", "same": True, "calls": 3}
    assert new["scripts"] == {"examples/digits.py": {**row, "worst": 1.2e-7}, "z.py": 3}


def test_every_file_of_tests_has_a_family():
    stems = {f.stem.removeprefix("test_") for f in (ROOT / "compat").glob("test_*.py")}
    assert {summary.family_of(f"compat/test_{stem}.py::x") for stem in stems}
    listed = " ".join(summary.FAMILIES.values()).split()
    assert sorted(listed) == sorted(stems)


def test_a_badge_is_an_svg_that_holds_its_texts():
    badge = page_builder().badge("losses & metrics", "3 cases, worst 4e-7", good=False)
    texts = [e.text for e in ET.fromstring(badge).iter() if e.tag.endswith("text")]
    assert texts == ["losses & metrics", "3 cases, worst 4e-7"]


def test_the_page_and_the_badges_are_those_of_the_summary():
    builder = page_builder()
    assert {*json.loads(summary.SUMMARY.read_text())["families"]} <= {*summary.FAMILIES}
    told = "run `make docs` and commit docs/parity.md and docs/badges"
    assert builder.text() == (ROOT / "docs" / "parity.md").read_text(), told
    found = {f.name: f.read_text() for f in (ROOT / "docs" / "badges").glob("*.svg")}
    assert builder.badges() == found, told

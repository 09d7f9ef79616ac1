"""The ratchet on made-up outcomes."""

import json

import pytest

from compat.conformance import baseline, ratchet
from compat.conformance.__main__ import main

COUNTED = """\
# three files
losses/a_test.py 3
  ATest::test_private_*
  ATest::test_skipped
losses/b_test.py 1
ops/c_test.py 0
  *
"""
KNOWN = """\
# quantization is not built yet
losses/a_test.py::ATest::test_int4
losses/b_test.py::BTest::test_int8

# reads a private attribute
models/d_test.py::DTest::test_state
"""
A, B = "losses/a_test.py", "losses/b_test.py"


def outcomes(**changes):
    """Records of a run in which all is as listed, but for the changes."""
    o = {
        f"{A}::ATest::test_mean": "passed",
        f"{A}::ATest::test_sum[x y]": "passed",
        f"{A}::ATest::test_int4": "failed",
        f"{A}::ATest::test_private_name": "private",
        f"{A}::ATest::test_skipped": "failed",
        f"{B}::BTest::test_int8": "failed",
        "ops/c_test.py::*": "private",
    }
    o |= {f"{A}::ATest::{name}": outcome for name, outcome in changes.items()}
    return {t: {"o": x, "m": f"why {t}"} for t, x in o.items() if x}


def judged(records, known=KNOWN, files=(A, B, "ops/c_test.py"), whole=None):
    groups = ratchet.read_known(known)
    return ratchet.judge(records, files, baseline.Baseline(COUNTED), groups, whole)


def told(verdict):
    return "\n".join(ratchet.describe(verdict))


def test_a_run_as_listed_is_silent():
    verdict = judged(outcomes())
    assert not verdict.broken
    assert told(verdict) == ""


@pytest.mark.parametrize(
    "outcome", ["failed", "error", "timeout", "private", "skipped"]
)
def test_a_regression_is_caught(outcome):
    verdict = judged(outcomes(test_mean=outcome))
    assert verdict.broken
    assert f"regression: {A}::ATest::test_mean ({outcome}) why" in told(verdict)
    assert list(verdict.regressions) == [f"{A}::ATest::test_mean"]


def test_a_test_that_is_not_collected_is_caught():
    verdict = judged(outcomes(test_mean=None))
    assert verdict.broken and verdict.missing == {A: (3, 2)}
    assert f"regression: {A}: 3 tests count, 2 were found" in told(verdict)
    assert judged({}, files=[B]).missing == {B: (1, 0)}


def test_chosen_tests_are_not_missing():
    records = {f"{A}::ATest::test_mean": {"o": "passed"}}
    verdict = judged(records, whole=[])
    assert not verdict.broken and not verdict.gone
    assert judged(records, whole=[B]).missing == {B: (1, 0)}


def test_a_file_that_cannot_be_imported_is_one_regression():
    records = {f"{A}::*": {"o": "error", "m": "ImportError"}}
    verdict = judged(records, files=[A])
    assert list(verdict.regressions) == [f"{A}::*"]
    assert not verdict.missing and not verdict.gone


def test_a_listed_test_that_passes_is_told():
    verdict = judged(outcomes(test_int4="passed"))
    assert not verdict.broken
    assert verdict.fixed == [f"{A}::ATest::test_int4"]
    assert "remove these lines" in told(verdict) and "test_int4" in told(verdict)


def test_a_listed_test_that_is_gone_is_told():
    more = KNOWN + f"{A}::ATest::test_old\n{A}::ATest::test_private_x\n"
    verdict = judged(outcomes(), more)
    assert verdict.gone == [f"{A}::ATest::test_old", f"{A}::ATest::test_private_x"]
    assert "no longer exist" in told(verdict)


def test_files_that_did_not_run_are_left_alone():
    verdict = judged({f"{B}::BTest::test_int8": {"o": "failed"}}, files=[B])
    assert not verdict.broken and not verdict.gone


def test_update_keeps_reasons_and_asks_for_new_ones():
    known = ratchet.read_known(KNOWN)
    verdict = judged(outcomes(test_int4="passed", test_mean="failed"))
    text = ratchet.write_known(ratchet.update(known, verdict))
    assert ratchet.read_known(text) == {
        ratchet.UNKNOWN: [f"{A}::ATest::test_mean"],
        "quantization is not built yet": [f"{B}::BTest::test_int8"],
        "reads a private attribute": ["models/d_test.py::DTest::test_state"],
    }
    again = judged(outcomes(test_int4="passed", test_mean="failed"), text)
    assert again.broken and not again.regressions
    assert f"no reason: {A}::ATest::test_mean" in told(again)
    explained = text.replace(ratchet.UNKNOWN, "Keras sums twice")
    assert not judged(
        outcomes(test_int4="passed", test_mean="failed"), explained
    ).broken


def test_a_list_that_says_a_test_twice_is_refused():
    with pytest.raises(ValueError, match="test_int4 stands twice"):
        ratchet.read_known(KNOWN + f"{A}::ATest::test_int4\n")
    with pytest.raises(ValueError, match="above the first"):
        ratchet.read_known("a_test.py::b\n" + KNOWN)


def test_passes_are_counted_by_folder():
    groups, counted = ratchet.read_known(KNOWN), baseline.Baseline(COUNTED)
    rows = list(ratchet.table(outcomes(), [A, B], counted, groups))
    columns = [row.split() for row in rows[1:]]
    #                         keras passed failed err time priv skip listed share
    assert columns[0] == ["losses", "4", "2", "2", "0", "0", "0", "0", "2", "50.0%"]
    assert columns[1][0] == "TOTAL"


def test_a_baseline_says_what_its_run_passed(tmp_path):
    file = tmp_path / "baseline.txt"
    names = [
        "test_b",
        "test_bc",
        "test_bd",
        "test_b[1 2]",
        "test_x1",
        "test_x2",
        "test",
    ]
    passes = {"test_bc", "test_b[1 2]"}
    records = {
        f"{folder}/a_test.py::ATest::{n}": {"o": "passed" if n in good else "failed"}
        for folder, good in (("ops", passes), ("losses", set()), ("nn", set(names)))
        for n in names
    }
    baseline.write(records, "3.15.1", file)
    written = baseline.Baseline(file.read_text())
    assert {t for t in records if written.counts(t)} == {
        t for t, r in records.items() if r["o"] == "passed"
    }
    assert written.passes["ops/a_test.py"] == 2
    assert "  ATest::test_x*\n" in file.read_text()
    assert written.counts("ops/a_test.py::*") and not written.counts(
        "losses/a_test.py::*"
    )


def test_the_committed_lists_belong_together():
    counted = baseline.Baseline(baseline.FILE.read_text())
    known = ratchet.read_known(ratchet.FILE.read_text())
    assert sum(counted.passes.values()) == 12290
    listed = [test for ids in known.values() for test in ids]
    assert listed and not [test for test in listed if not counted.counts(test)]
    assert ratchet.UNKNOWN not in known


def test_earlier_outcomes_are_judged_and_the_list_rewritten(tmp_path, capsys):
    known, results = tmp_path / "known.txt", tmp_path / "results.json"
    known.write_text("# reads a private attribute\n")
    test = "constraints/constraints_test.py::ConstraintsTest::test_non_neg"
    results.write_text(json.dumps({"tests": {test: {"o": "failed", "m": "no"}}}))
    command = ["--results", str(results), "--known", str(known), "--only", test]
    assert main(command) == 1
    assert f"regression: {test} (failed) no" in capsys.readouterr().out
    assert main([*command, "--update"]) == 1
    assert known.read_text() == f"# {ratchet.UNKNOWN}\n{test}\n"
    known.write_text(f"# not built yet\n{test}\n")
    assert main(command) == 0

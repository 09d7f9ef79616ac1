"""The ratchet: tests that may fail are listed with a reason; no other test may.

`known_failures.txt` holds groups: a line `# reason`, then ids, one a line.
"""

import collections
import dataclasses
from pathlib import Path

FILE = Path(__file__).with_name("known_failures.txt")
UNKNOWN = "reason unknown"


def read_known(text):
    """{reason: [ids]} of the content of `known_failures.txt`.

    Raises:
        ValueError: an id stands above the first reason, or twice.
    """
    groups, seen, reason = {}, set(), None
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            reason = line.lstrip("# ")
            groups.setdefault(reason, [])
        elif reason is None or line in seen:
            where = "twice" if line in seen else "above the first `# reason`"
            raise ValueError(f"known_failures.txt: {line} stands {where}")
        else:
            groups[reason].append(line)
            seen.add(line)
    return groups


def write_known(groups):
    """The content of `known_failures.txt` for {reason: ids}."""
    parts = (
        "\n".join([f"# {reason}", *sorted(ids)])
        for reason, ids in groups.items()
        if ids
    )
    return "\n\n".join(parts) + "\n"


@dataclasses.dataclass
class Verdict:
    """What a run says.

    Args:
        regressions: {id: record} of tests that count, fail and are not listed.
        missing: {file: (number that counts, number found)} where they differ.
        unexplained: listed ids without a reason.
        fixed: listed ids that pass.
        gone: listed ids that no longer exist, or do not count.
    """

    regressions: dict
    missing: dict
    unexplained: list
    fixed: list
    gone: list

    @property
    def broken(self):
        """Must the run fail?"""
        return bool(self.regressions or self.missing or self.unexplained)


def judge(records, files, baseline, known, whole=None):
    """Compare outcomes with the baseline and the list.

    Args:
        records: {id: {"o": outcome, "m": message}} of the tests that ran.
        files: the test files that ran.
        baseline: a Baseline.
        known: {reason: ids}.
        whole: those of the files all of whose tests were to run; None: all. In the
            others, a test without a record is not missing.

    Returns:
        A Verdict.
    """
    whole = set(files if whole is None else whole)
    listed = {test for ids in known.values() for test in ids if _file(test) in files}
    counted = {test: r for test, r in records.items() if baseline.counts(test)}
    failed = {test: r for test, r in counted.items() if r["o"] != "passed"}
    missing = {}
    for file in sorted(whole):
        found = sum(_file(test) == file for test in counted)
        if f"{file}::*" not in failed and found != baseline.passes.get(file, 0):
            missing[file] = (baseline.passes.get(file, 0), found)
    read = {file for file in whole if f"{file}::*" not in failed}
    return Verdict(
        regressions={t: r for t, r in sorted(failed.items()) if t not in listed},
        missing=missing,
        unexplained=sorted(set(known.get(UNKNOWN, ())) & listed),
        fixed=sorted(t for t in listed & set(counted) if t not in failed),
        gone=sorted(
            t
            for t in listed - set(counted)
            if _file(t) in read or not baseline.counts(t)
        ),
    )


def update(known, verdict):
    """{reason: ids} with what a verdict says; new ids have no reason yet.

    Args:
        known: {reason: ids}.
        verdict: a Verdict of those.
    """
    drop = {*verdict.fixed, *verdict.gone}
    groups = {r: [t for t in ids if t not in drop] for r, ids in known.items()}
    new = groups.pop(UNKNOWN, []) + list(verdict.regressions)
    return {UNKNOWN: new, **groups} if new else groups


def describe(verdict):
    """Lines that tell what a verdict holds, and what to do."""
    for test, record in verdict.regressions.items():
        message = " ".join(record.get("m", "").split())[:200]
        yield f"regression: {test} ({record['o']}) {message}"
    for file, (expected, found) in verdict.missing.items():
        yield (
            f"regression: {file}: {expected} tests count, {found} were found. Another "
            "version of Keras? A test that counts may also no longer be collected."
        )
    for test in verdict.unexplained:
        yield f"no reason: {test}: write one above it in known_failures.txt"
    for title, tests in (
        ("These pass now; remove these lines from known_failures.txt", verdict.fixed),
        ("These no longer exist; remove these lines too", verdict.gone),
    ):
        if tests:
            yield f"{title} (or run with --update):"
            yield from (f"  {test}" for test in tests)


def table(records, files, baseline, known, whole=None):
    """Lines of passes per folder against what real Keras passes.

    Args:
        records: as in `judge`.
        files: as in `judge`.
        baseline: a Baseline.
        known: {reason: ids}.
        whole: as in `judge`; of the other files, the tests that ran are shown.
    """
    rows = collections.defaultdict(collections.Counter)

    def add(file, column, number=1):
        for folder in (file.split("/")[0], "TOTAL"):
            rows[folder][column] += number

    whole = set(files if whole is None else whole)
    for file in whole:
        add(file, "keras", baseline.passes.get(file, 0))
    for test, record in records.items():
        if baseline.counts(test):
            add(_file(test), record["o"])
            add(_file(test), "keras", _file(test) not in whole)
    for test in (test for ids in known.values() for test in ids):
        if _file(test) in whole or test in records:
            add(_file(test), "listed")
    columns = ["passed", "failed", "error", "timeout", "private", "skipped", "listed"]
    yield (
        f"{'folder':16}" + "".join(f"{c:>9}" for c in ["keras", *columns]) + "   share"
    )
    for folder, row in sorted(
        rows.items(), key=lambda item: (item[0] == "TOTAL", item)
    ):
        share = f"{100 * row['passed'] / row['keras']:7.1f}%" if row["keras"] else ""
        yield (
            f"{folder:16}" + "".join(f"{row[c]:9}" for c in ["keras", *columns]) + share
        )


def _file(test):
    return test.partition("::")[0]

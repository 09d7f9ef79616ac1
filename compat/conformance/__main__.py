"""Keras's own tests against minikeras, held by a ratchet.

    python -m compat.conformance                        all; more than an hour
    python -m compat.conformance --only 'layers/core/*' 'losses/*::*mean*'
    python -m compat.conformance --changed [REF]        what a change concerns
    python -m compat.conformance --results FILE         judge an earlier run again
    ... --update                                        rewrite known_failures.txt

The tests come out of the installed `keras` wheel; nothing of them is kept here. It
prints how many pass in each folder against what Keras passes. The exit code is 1 if a
test that Keras passes fails and is not in `known_failures.txt`, or stands there without
a reason.

A new version of Keras: copy its package under another name (`keras.src` -> `name.src`)
and run `--target name --baseline`; real Keras then says which tests count.
"""

import argparse
import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from compat.conformance import baseline, processes, ratchet, suite


def arguments(argv):
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", nargs="+", default=[], metavar="PATTERN", help="files or file::test")
    add("--changed", nargs="?", const="", metavar="REF", help="default: from main")
    add("--target", default="minikeras", help="package under test")
    add("--jobs", type=int, default=2, help="processes side by side")
    add("--timeout", type=float, default=120, help="seconds for a test")
    add("--work", type=Path, help="keep the logs here")
    add("--out", type=Path, help="write the outcomes here, as JSON")
    add("--resume", action="store_true", help="go on with --out")
    add("--results", type=Path, help="judge these outcomes; run nothing")
    add("--update", action="store_true", help="rewrite known_failures.txt")
    add("--known", type=Path, default=ratchet.FILE, help=argparse.SUPPRESS)
    add("--baseline", action="store_true", help="rewrite baseline.txt")
    options = parser.parse_args(argv)
    if options.resume and not options.out:
        parser.error("--resume goes on with a file of outcomes: give --out FILE")
    return options


def run(files, options, source):
    """Run test files; returns the records."""
    command = [sys.executable, "-c", f"import {options.target}"]
    if subprocess.run(command, cwd=suite.ROOT).returncode:  # say so once
        raise SystemExit(f"cannot import {options.target}")
    job = {"target": options.target, "suite": str(source), "timeout": options.timeout}
    # A pattern of files stands for all their tests.
    job["only"] = [p if "::" in p else p + "::*" for p in options.only]
    job["skip"] = suite.EXCLUDED_TESTS
    work = (options.work or Path(tempfile.mkdtemp(prefix="conformance-"))).resolve()
    work.mkdir(parents=True, exist_ok=True)
    earlier = {}
    if options.resume and options.out.exists():  # it holds whole files
        earlier = json.loads(options.out.read_text())["tests"]
        seen = {test.partition("::")[0] for test in earlier}
        files = [file for file in files if file not in seen]

    def keep(records):
        if options.out:  # after each chunk: nothing is lost by Ctrl-C
            content = {"target": options.target, "tests": earlier | records}
            options.out.write_text(json.dumps(content))

    print(f"{len(files)} test files; logs in {work}", file=sys.stderr)
    return earlier | processes.run(files, job, work, options.jobs, keep)


def main(argv=None):
    """The command line; returns the exit code."""
    options = arguments(argv)
    source = suite.find_suite().resolve()
    if options.changed is not None:
        changed = suite.changed_files(options.changed or None)
        options.only += suite.concerned(changed, source)
        if not options.only:
            print("no test of Keras concerns the files that changed")
            return 0
    files = suite.test_files(source, options.only)
    if not files:
        raise SystemExit(f"no test file fits {' '.join(options.only)}")
    if options.results:
        records = json.loads(options.results.read_text())["tests"]
        files = sorted({test.partition("::")[0] for test in records} & set(files))
    else:
        records = run(files, options, source)
    records = {t: r for t, r in records.items() if t.partition("::")[0] in files}
    if options.baseline:
        baseline.write(records, importlib.metadata.version("keras"))
        return 0
    return report(records, files, options)


def report(records, files, options):
    """Judge the outcomes and print what they say; returns the exit code."""
    counted = baseline.Baseline(baseline.FILE.read_text())
    known = ratchet.read_known(options.known.read_text())
    whole = suite.whole_files(files, options.only)
    verdict = ratchet.judge(records, files, counted, known, whole)
    if options.update:
        known = ratchet.update(known, verdict)
        options.known.write_text(ratchet.write_known(known))
        verdict = ratchet.judge(records, files, counted, known, whole)
    print("\n".join(ratchet.table(records, files, counted, known, whole)))
    for line in ratchet.describe(verdict):
        print(line)
    if not verdict.broken:
        print("No test fails that Keras passes, but for those listed with a reason.")
    return int(verdict.broken)


if __name__ == "__main__":
    sys.exit(main())

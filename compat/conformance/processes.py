"""Runs test files in processes, so that a crash or a hang costs one test only."""

import collections
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from compat.conformance.suite import ROOT

# Test files that share a process: to import JAX and the suite takes some 5 s.
MAX_FILES, MAX_BYTES = 12, 120_000
# Sets among parameters must have one order, or ids differ from run to run. Compilation
# is most of the time, and tests compare with tolerances: without optimizations a run
# takes three quarters of the time, with the same outcomes.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
DEFAULTS = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def chunks(files, suite):
    """Lists of files that share a process: of one folder, large lists first."""
    out, size = [], 0

    def bytes_of(file):
        return (suite / file).stat().st_size

    for file in files:
        last = out[-1] if out else None
        if (
            last is None
            or last[0].split("/")[0] != file.split("/")[0]
            or len(last) >= MAX_FILES
            or size + bytes_of(file) > MAX_BYTES
        ):
            out.append([])
            size = 0
        out[-1].append(file)
        size += bytes_of(file)
    return sorted(out, key=lambda chunk: -sum(map(bytes_of, chunk)))


class Chunk:
    """A few test files, run in as many processes as crashes make necessary.

    Args:
        files: paths below the suite.
        job: dict of the plugin's job, without `out` and `done`.
        work: folder for logs and the files of outcomes.
        number: names those files.
        stop: Event that ends the processes.
    """

    def __init__(self, files, job, work, number, stop):
        self.files, self.stop = files, stop
        self.out, self.log = work / f"{number}.jsonl", work / f"{number}.log"
        self.job_file = work / f"{number}.job"
        for old in (self.out, self.log):  # of an earlier run with the same folder
            old.unlink(missing_ok=True)
        self.job = {**job, "out": str(self.out)}
        self.records = {}

    def run(self):
        """Run the files; returns {id: record}."""
        queue = [self.files]
        while queue and not self.stop.is_set():
            files = queue.pop(0)
            before = len(self.records)
            why = self._run_process(files)
            died_in, ended = self._read_events()
            if died_in:
                self._write(id=died_in, o=why, m="the process died in this test")
                self._read_events()
            elif not ended and len(files) > 1:  # died between tests: which file?
                queue += [[file] for file in files]
                continue
            if not ended and len(self.records) > before:
                queue.insert(0, files)  # the rest of them
            elif not ended:
                text = self.log.read_text()[-300:]
                self.records[files[0] + "::*"] = {"o": "error", "m": text}
        return self.records

    def _write(self, **event):
        with open(self.out, "a") as f:
            f.write(json.dumps(event) + "\n")

    def _read_events(self):
        """(id of a test that began and has no record, did the process end well?)"""
        running, ended = None, False
        for line in self.out.read_text().splitlines():
            try:
                event = json.loads(line)
            except ValueError:  # cut off by a crash
                continue
            if "start" in event:
                running = event["start"]
            elif "id" in event:
                self.records[event.pop("id")] = event
                running = None
            ended = "end" in event
        return running, ended

    def _run_process(self, files):
        """Run pytest to its end; "timeout" if it was silent too long, else "error"."""
        self._write(launch=files)
        self.job_file.write_text(json.dumps({**self.job, "done": [*self.records]}))
        search = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = DEFAULTS | os.environ | ENVIRONMENT
        env["PYTHONPATH"] = os.pathsep.join(search)
        env["CONFORMANCE_JOB"] = str(self.job_file)
        with open(self.log, "a") as log:
            process = subprocess.Popen(
                pytest_command(self.job["suite"], files),
                cwd=self.log.parent,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # Silence: imports and collection, or a test that even the alarm cannot stop.
        patience = 2 * self.job["timeout"] + 240
        size, since = -1, time.time()
        while process.poll() is None:
            time.sleep(0.2)
            if self.out.stat().st_size != size:
                size, since = self.out.stat().st_size, time.time()
            if self.stop.is_set() or time.time() - since > patience:
                os.killpg(process.pid, signal.SIGKILL)  # this child and its children
                process.wait()
                return "timeout"
        return "error"


def pytest_command(suite, files):
    """The command line that runs test files with the plugin alone."""
    return [
        *(sys.executable, "-m", "pytest", "-q", "--tb=short"),
        *("-p", "compat.conformance.plugin", "-p", "no:cacheprovider"),
        *("-p", "no:warnings", "-p", "no:xdist", "-p", "no:timeout", "--noconftest"),
        *("-c", os.devnull, "--rootdir", suite, "--continue-on-collection-errors"),
        *(f"{suite}/{file}" for file in files),
    ]


def run(files, job, work, jobs, keep=lambda records: None):
    """Run test files side by side.

    Args:
        files: paths below the suite.
        job: dict of the plugin's job, without `out` and `done`.
        work: an existing folder for logs.
        jobs: how many processes.
        keep: called with all records so far, after each chunk.

    Returns:
        {id: {"o": outcome, "m": message, "t": seconds}}.
    """
    records, start, stop = {}, time.time(), threading.Event()
    todo = list(enumerate(chunks(files, Path(job["suite"]))))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            futures = {
                pool.submit(Chunk(c, job, work, i, stop).run): c for i, c in todo
            }
            for n, future in enumerate(concurrent.futures.as_completed(futures), 1):
                records |= future.result()
                keep(records)
                count = collections.Counter(r["o"] for r in future.result().values())
                what = f"{futures[future][0]} (+{len(futures[future]) - 1})"
                line = f"[{time.time() - start:6.0f} s] {n}/{len(todo)} {what}"
                print(line, dict(count), file=sys.stderr, flush=True)
        except BaseException:  # Ctrl-C, once or twice: leave no process behind
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            stop.set()
            raise
    return records

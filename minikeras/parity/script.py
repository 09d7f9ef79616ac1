"""Running a program with real Keras and with minikeras, and telling where they part."""

import contextlib
import importlib.util
import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import Pipe
from typing import Any

from minikeras.parity.compare import Comparison
from minikeras.parity.lockstep import Lockstep, values_by_number
from minikeras.parity.side import connection
from minikeras.parity.verdict import (
    DIFFERENT,
    EMPTY,
    FAILED,
    ROUNDING,
    SAME,
    UNREPEATABLE,
    Verdict,
)

# {what to compare with: (package, its backend)}
AGAINST = {
    "keras-jax": ("keras", "jax"),
    "keras-tensorflow": ("keras", "tensorflow"),
    "keras-torch": ("keras", "torch"),
    "tf_keras": ("tf_keras", "tensorflow"),
}
_LAST_LINES = 15
_SAID_EACH = 500  # steps


def run_script(
    script: str | os.PathLike,
    arguments: Sequence[str] = (),
    against: str = "keras-jax",
    *,
    seed: int | None = 0,
    tolerance: float = 1e-5,
    every_step: bool = False,
    max_steps: int | None = None,
    is_module: bool = False,
    python: str | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Verdict:
    """Run a program with both packages, and find the first place where they part.

    Each runs in a process of its own, from the same seed, first theirs, then ours. If
    something parts, theirs and then ours run again, which tells programs that do not
    repeat themselves. Then both run side by side: before each step ours takes over
    theirs' numbers, so that a step is judged on its own.

    Args:
        script: path of a .py or .ipynb file or a folder with __main__.py, or with
            `is_module` the name of a module.
        arguments: the program's arguments.
        against: "keras-jax", "keras-tensorflow", "keras-torch" or "tf_keras".
        seed: as `keras.utils.set_random_seed`, before the program; None: no seed.
        tolerance: relative difference of results (histories, predictions) that counts
            as rounding; weights may differ by ten times as much.
        every_step: whether to compare step by step also where the whole runs agree.
        max_steps: batches of each `fit`, `evaluate` and `predict`, one epoch each;
            None: all.
        is_module: whether `script` names a module.
        python: path of the Python that has the other package; None: this one.
        progress: gets a line before each run.

    Raises:
        ValueError: unknown `against`, or a tolerance that is no positive number.
        OSError: the script cannot be read.
        ImportError: the other package is not installed.
    """
    begin = time.perf_counter()
    runs = _Runs(
        os.fspath(script), list(arguments), against, seed, max_steps, is_module, python
    )
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance: expected a number in (0, 1), got {tolerance!r}.")
    with tempfile.TemporaryDirectory(prefix="parity") as folder:
        passes = _Passes(runs, pathlib.Path(folder), tolerance, progress)
        verdict = passes.verdict(every_step)
    verdict.seconds["total"] = time.perf_counter() - begin
    return verdict


class _Runs:
    """Starts watched processes of a program."""

    def __init__(self, script, arguments, against, seed, max_steps, is_module, python):
        if against not in AGAINST:
            raise ValueError(
                f"against: expected one of {', '.join(AGAINST)}, got {against!r}."
            )
        self.package, self.backend = AGAINST[against]
        if python is None and importlib.util.find_spec(self.package) is None:
            raise ImportError(
                f"{against}: there is no {self.package} in this Python. Install it, "
                'for keras: pip install "minikeras-jax[parity]"; or name another '
                "Python that has it (--python)."
            )
        self.script, self.arguments, self.against = script, arguments, against
        self.seed, self.max_steps, self.is_module = seed, max_steps, is_module
        self.python = python or sys.executable
        self.program = self._program()

    def _program(self):
        """What the other side is to run; the parts of a notebook are read here."""
        from minikeras.legacy import notebook

        path, parts = self.script, []
        if not self.is_module and not os.path.isdir(path):
            with open(path, "rb") as file:
                content = file.read()
            parts = [(path, content)]
            if path.endswith(".ipynb"):
                cells = notebook.cells(content.decode(), path)
                parts = [(cell.name, cell.source) for cell in cells]
        folder = os.path.realpath(path)
        if not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        return {
            "package": self.package,
            "path": path,
            "parts": parts,
            "folder": "" if self.is_module else folder,
            "is_module": self.is_module,
            "arguments": self.arguments,
            "seed": self.seed,
            "max_steps": self.max_steps,
        }

    def theirs(self, log, lockstep_from=None):
        """Start the program with the other package."""
        command = [self.python, str(pathlib.Path(connection.__file__).parent)]
        environment = {"KERAS_BACKEND": self.backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if self.package == "tf_keras":
            environment["TF_USE_LEGACY_KERAS"] = "1"
        process = Process(command, environment, log, lockstep_from)
        process.pipe.send(self.program)
        return process

    def ours(self, log, lockstep_from=None):
        """Start the program with this package."""
        command = [sys.executable, "-m", "minikeras", "run"]
        if self.seed is not None:
            command += ["--seed", str(self.seed)]
        if self.max_steps is not None:
            command += ["--max-steps", str(self.max_steps)]
        command += ["-m"] * self.is_module + [self.script, *self.arguments]
        return Process(command, {"KERAS_BACKEND": "jax"}, log, lockstep_from)


class Process:
    """A watched process and its messages.

    Args:
        command: what to start.
        environment: what to add to this process's environment.
        log: path of the file for what it prints.
        lockstep_from: number of the first event whose steps it tells; None: none.
    """

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        log: pathlib.Path,
        lockstep_from: int | None,
    ):
        self.pipe, other = Pipe()
        number = other.fileno()
        # Closed with this process, however it ends: the other one then ends, too.
        alive, self._alive = os.pipe()
        setting = {
            "descriptor": number,
            "alive": alive,
            "lockstep_from": lockstep_from,
        }
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",
            # Two processes share a GPU: neither may take all of its memory at once.
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            connection.VARIABLE: json.dumps(setting),
            **environment,
        }
        self.log, self._ended, self._event = log, False, 0
        with open(log, "wb") as file:
            self._process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[number, alive],
            )
        other.close()
        os.close(alive)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the process has ended."""
        try:
            message = self.pipe.recv()
        except (EOFError, ConnectionError):
            is_whole, self._ended = self._ended, True
            code = self._process.wait()
            if not is_whole:
                what = f"ended with status {code}, before its end"
                end = {"what": "end", "event": self._event, "draws": {}}
                return {**end, "error": what}
            return None
        self._event = message.get("event", self._event)
        self._ended = message["what"] == "end"
        return message

    def answer(self, values: Any = None) -> None:
        """Let it go on.

        Args:
            values: what it has to take over.
        """
        with contextlib.suppress(ConnectionError):  # it has ended
            self.pipe.send(values)

    def taps(self) -> list[tuple]:
        """The taps of the step that it has just told."""
        self.pipe.send("taps")
        return self.pipe.recv()

    def close(self) -> None:
        """End it, and what it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its workers, too
        self._process.wait()
        self.pipe.close()
        os.close(self._alive)

    def last_lines(self) -> str:
        """What it printed last."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])


class _Passes:
    """The runs that a verdict takes."""

    def __init__(self, runs, folder, tolerance, progress):
        self.runs, self.folder = runs, folder
        self.tolerance, self.progress = tolerance, progress
        self.same_draws = runs.backend == "jax"
        self.seconds: dict[str, float] = {}
        self.errors: dict[str, str | None] = {}

    def verdict(self, every_step):
        theirs = self._told("theirs")
        comparison = Comparison(self.tolerance, self.same_draws)
        ours = self._told("ours", initial=None if self.same_draws else theirs)
        comparison.run(theirs.read(), ours.read())
        first = comparison.first
        known = {
            "script": self.runs.script,
            "against": self.runs.against,
            "calls": comparison.calls,
            "histories": comparison.histories,
            "seconds": self.seconds,
        }
        if first is None:
            failed = self.errors.get("theirs") is not None
            kind = FAILED if failed else SAME if comparison.calls else EMPTY
            if kind != SAME or not every_step:
                return Verdict(kind, output=self.output if failed else "", **known)
        elif unlike := self._unrepeatable(theirs, ours, first):
            return Verdict(UNREPEATABLE, difference=unlike, first_seen=first, **known)
        elif first.is_found:
            output = self.output if first.what == "error" else ""
            return Verdict(
                DIFFERENT, difference=first, first_seen=first, output=output, **known
            )
        difference, judge = self._lockstep(0 if first is None else first.event)
        found = {
            "ill_conditioned": judge.ill_conditioned,
            "steps": judge.steps,
            "first_seen": first,
        }
        kind = DIFFERENT if difference else ROUNDING if first else SAME
        return Verdict(kind, difference=difference, **found, **known)

    def _told(self, side, initial=None, until=None):
        """Run a side, to its end or to an event, and keep its messages in a file."""
        what = "whole program" if until is None else "program again"
        self.progress(f"{side}: the {what}")
        begin = time.perf_counter()
        messages = Messages(self.folder / f"{side}-{len(os.listdir(self.folder))}")
        process = getattr(self.runs, side)(self.folder / f"{side}.log")
        handed = _initial_values(initial) if initial else {}
        try:
            while (message := process.receive()) is not None:
                messages.add(message)
                values = handed.get(message.get("event"))
                process.answer(values if message["what"] == "model" else None)
                if message["what"] == "end":
                    self.errors[side] = message["error"]
                if until is not None and message.get("event", 0) > until:
                    break
        finally:
            process.close()
        self.seconds.setdefault(side, time.perf_counter() - begin)
        if self.errors.get(side):
            self.output = process.last_lines()
        return messages

    def _unrepeatable(self, theirs, ours, first):
        """The first place where a side parts from itself, if not after that one."""
        for side, told in (("theirs", theirs), ("ours", ours)):
            again = Comparison(self.tolerance)
            initial = theirs if side == "ours" and not self.same_draws else None
            repeated = self._told(side, initial, first.event)
            again.run(told.read(), repeated.read())
            if again.first is not None and again.first.event <= first.event:
                again.first.text = f"{side} against itself: {again.first.text}"
                return again.first
        return None

    def _lockstep(self, event):
        """Both side by side from an event on; (difference or None, the judge)."""
        self.progress("both, step by step")
        theirs = self.runs.theirs(self.folder / "theirs.log", event)
        ours = self.runs.ours(self.folder / "ours.log", event)
        fails = any(self.errors.values())
        lockstep = Lockstep(event, self.tolerance, self.same_draws, fails)
        try:
            found = _side_by_side(theirs, ours, lockstep, self.progress)
            return found, lockstep.judge
        finally:
            theirs.close()
            ours.close()


def _side_by_side(theirs, ours, lockstep, progress):
    """Run one process at a time, from message to message, until something parts.

    They use the same files, and what one writes the other may read.
    """
    their_message = theirs.receive()
    while True:
        our_message = ours.receive()
        if their_message is None and our_message is None:
            return None
        difference, values = lockstep.compare(
            their_message, our_message, theirs.taps, ours.taps
        )
        if difference is not None or their_message is None or our_message is None:
            return difference
        steps = lockstep.judge.steps
        if our_message["what"] == "step" and steps % _SAID_EACH == 0:
            progress(f"both, step by step: {steps:,} steps agree")
        theirs.answer()
        their_message = theirs.receive()
        ours.answer(values)


def _initial_values(messages):
    """{event: {number: array}} of the models that a side has told."""
    return {
        m["event"]: values_by_number(m) for m in messages.read() if m["what"] == "model"
    }


class Messages:
    """Messages in a file, to be read in order, as often as one likes.

    Args:
        path: of the file.
    """

    def __init__(self, path: pathlib.Path):
        self._path = path
        self._path.touch()

    def add(self, message: dict[str, Any]) -> None:
        """Append a message.

        Args:
            message: what can be pickled.
        """
        with open(self._path, "ab") as file:
            pickle.dump(message, file, protocol=pickle.HIGHEST_PROTOCOL)

    def read(self) -> Iterator[dict[str, Any]]:
        """The messages from the first on."""
        with open(self._path, "rb") as file:
            while True:
                try:
                    yield pickle.load(file)
                except EOFError:
                    return

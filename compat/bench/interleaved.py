"""Contenders in processes of their own, which get turns so that all see one machine."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from compat.bench.contenders import CONTENDERS, environment
from compat.bench.workloads import find

ROOT = Path(__file__).parents[2]
WARM = ("fit", "evaluate", "predict", "predict_one")
COLD = ("first", "cached", "import", "peak", "device peak", "build", "weights")


class Failed(RuntimeError):
    """A contender's process ended; the message is the end of what it printed."""


class Child:
    """One contender's long-lived process; it computes only while it is asked."""

    def __init__(self, who):
        self.who = who
        self.start()

    def start(self):
        """Start the process, or another one in its place."""
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "compat.bench.worker", self.who],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd=ROOT,
            env=environment(self.who),
            text=True,
            bufsize=1,
        )

    def ask(self, do, **options):
        """The answer to one command of `worker.Worker`."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **options}) + "\n")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.errors.seek(0)
            raise Failed(f"{self.who}, {do}: {self.errors.read()[-600:].strip()}")
        return json.loads(line)

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def prepared(children, workload, policy):
    """{who: answer}; a contender that fails is left out with a line saying so."""
    answers = {}
    for who, child in children.items():
        try:
            answers[who] = child.ask("prepare", workload=workload, policy=policy)
        except Failed as error:
            print(f"left out of {workload} in {policy}: {error}")
            child.close()
            child.start()
    counts = {
        who: answer["parameters"]
        for who, answer in answers.items()
        if CONTENDERS[who].jax
    }
    if len(set(counts.values())) > 1:
        raise ValueError(f"{workload}: the networks differ in parameters: {counts}")
    return answers


class Turns(NamedTuple):
    """How the contenders take turns.

    Attributes:
        repeats: how many turns each gets.
        epochs: of a turn; None: as many as suit the workload.
        measures: what is measured.
    """

    repeats: int
    epochs: int | None = None
    measures: tuple[str, ...] = WARM


def warm(children, workload, policy, plan):
    """Let the contenders take turns, as a `Turns` says.

    Returns:
        {who: {measure: [seconds]}}, and {who: its fastest loop}.
    """
    answers = prepared(children, workload, policy)
    fits = {(who, loop): [] for who in answers for loop in answers[who]["loops"]}
    found = {who: {measure: [] for measure in plan.measures} for who in answers}
    epochs = plan.epochs or find(workload).epochs
    for _ in range(plan.repeats):
        for (who, loop), seconds in fits.items():
            seconds += children[who].ask("fit", loop=loop, epochs=epochs)
        for measure in plan.measures[1:]:
            for who in answers:
                found[who][measure] += children[who].ask(measure)
    loops = {}
    for (who, loop), seconds in fits.items():
        before = found[who]["fit"]
        if not before or median(seconds) < median(before):
            found[who]["fit"], loops[who] = seconds, loop
    return found, loops


def once(who, workload, loop, cache=None):
    """{measure: value} of one fresh process."""
    command = [sys.executable, "-m", "compat.bench.cold", who, workload, loop]
    out = subprocess.run(
        command, cwd=ROOT, env=environment(who, cache), capture_output=True, text=True
    )
    if out.returncode:
        raise Failed(f"{who}, cold: {out.stderr[-600:].strip()}")
    return json.loads(out.stdout.splitlines()[-1])


def cold(loops, workload, repeats):
    """Fresh processes in turns: {who: {measure: [values]}}.

    Args:
        loops: {who: the loop that it runs}.
        workload: a name, or "resnet50" to build one.
        repeats: processes of each contender, with an empty cache and with a full one.
    """
    found = {who: {measure: [] for measure in COLD} for who in loops}
    with tempfile.TemporaryDirectory() as folder:
        caches = {
            who: Path(folder) / who
            for who in loops
            if CONTENDERS[who].jax and workload != "resnet50"
        }
        for who, cache in caches.items():
            if repeats:
                once(who, workload, loops[who], cache)  # fills it
        for _ in range(repeats):
            for who, loop in loops.items():
                for measure, value in once(who, workload, loop).items():
                    found[who][measure].append(value)
                if who in caches:
                    again = once(who, workload, loop, caches[who])
                    found[who]["cached"].append(again["first"])
    return found


def median(values):
    """Of a list that is not empty; the lower one of an even number's middle two."""
    return sorted(values)[(len(values) - 1) // 2]

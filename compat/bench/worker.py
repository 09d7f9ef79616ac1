"""A contender's process: does what lines on its input say, answers with seconds.

python -m compat.bench.worker CONTENDER
"""

import importlib
import json
import os
import statistics
import sys
import time

from compat.bench.contenders import CONTENDERS

_CALLS = 20  # of `predict_one` a turn


def timed(function):
    """Seconds of one call."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


class Worker:
    """One contender with one workload at a time; each method is a command."""

    def __init__(self, who):
        self.entry = CONTENDERS[who]

    def hello(self):
        """What computes: device and versions."""
        device = "-"
        if self.entry.jax:
            import jax

            device = f"{jax.device_count()} x {jax.devices()[0].device_kind}"
        versions = {}
        for name in ("jax", "keras", "tensorflow", "torch"):
            if name in self.entry.needs:
                versions[name] = importlib.import_module(name).__version__
        return {"device": device, "versions": versions}

    def prepare(self, workload, policy):
        """Build and compile; {"loops": names, "parameters": count}."""
        self.contender = None  # the last workload's memory is free again
        self.contender = contender = self.entry.make(workload, policy)
        if hasattr(contender, "drop_hopeless"):
            contender.drop_hopeless()
        else:
            contender.epochs(2)
        for run in (contender.evaluate, contender.predict, contender.predict_one):
            run()
        return {"loops": contender.loops, "parameters": contender.parameters}

    def fit(self, loop, epochs):
        """Seconds a step, of some warm epochs."""
        seconds = self.contender.epochs(epochs + 1, loop)[1:]
        return [s / self.contender.workload.steps for s in seconds]

    def evaluate(self):
        """Seconds a step."""
        return [timed(self.contender.evaluate) / self.contender.workload.steps]

    def predict(self):
        """Seconds a step."""
        return [timed(self.contender.predict) / self.contender.workload.steps]

    def predict_one(self):
        """Seconds a call, the median of some."""
        seconds = [timed(self.contender.predict_one) for _ in range(_CALLS)]
        return [statistics.median(seconds)]

    def loss(self):
        """Of the last epoch."""
        return self.contender.loss


def main(who):
    """Answer line by line until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not get among the answers
    worker = Worker(who)
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(worker, command.pop("do"))(**command)
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

"""Speed side by side: minikeras, JAX and optax by hand, Keras on JAX.

    python -m compat.bench [--quick] [--only tiny mlp convnet] [--repeats N]

All three take turns in one run, so that a busy machine slows all of them; the best
turn counts. Warm figures come from this process, cold ones from fresh processes
without a compilation cache. The ratios are theirs : ours, so above 1 ours is faster.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
# A first epoch compiles: programs kept from an earlier run would hide that.
os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)

from compat.bench.contenders import CONTENDERS  # noqa: E402
from compat.bench.workloads import WORKLOADS  # noqa: E402

ROOT = Path(__file__).parents[2]
UNITS = {
    "step": ("training step, warm epoch", "µs", 1e6),
    "predict": ("predict of one sample", "ms", 1e3),
    "first": ("first epoch, with building", "s", 1.0),
    "import": ("import beside jax's", "s", 1.0),
}


def warm(workload, repeats):
    """{contender: {"step": seconds, "predict": seconds}}, each the best."""
    made = {who: make(workload) for who, make in CONTENDERS.items()}
    for contender in made.values():  # compile
        contender.epochs(2)
        contender.predict_one()
    best = {who: {"step": float("inf"), "predict": float("inf")} for who in made}
    for _ in range(repeats):
        for who, contender in made.items():
            seconds = min(contender.epochs(WORKLOADS[workload].epochs))
            seconds /= WORKLOADS[workload].steps
            best[who]["step"] = min(best[who]["step"], seconds)
            for _ in range(20):
                start = time.perf_counter()
                contender.predict_one()
                seconds = time.perf_counter() - start
                best[who]["predict"] = min(best[who]["predict"], seconds)
    return best


def cold(workload, repeats):
    """{contender: {"first": seconds, "import": seconds}}, each the best."""
    best = {}
    for _ in range(repeats):
        for who in CONTENDERS:
            command = [sys.executable, "-m", "compat.bench.cold", who, workload]
            out = subprocess.check_output(command, cwd=ROOT, text=True)
            found = json.loads(out.splitlines()[-1])
            before = best.get(who, found)
            best[who] = {key: min(found[key], before[key]) for key in found}
    return best


def report(workload, best):
    """Print one workload's table."""
    title, batch = WORKLOADS[workload].title, WORKLOADS[workload].batch
    print(f"\n{title}, batch {batch}")
    print(f"{'':32}" + "".join(f"{who:>12}" for who in CONTENDERS), end="")
    print("   by hand:ours  Keras:ours")
    for key, (label, unit, scale) in UNITS.items():
        values = [best[who][key] for who in CONTENDERS]
        digits = 0 if unit == "µs" else 2
        cells = "".join(f"{value * scale:12.{digits}f}" for value in values)
        ours, hand, keras = values
        print(
            f"{f'{label}, {unit}':32}{cells}{hand / ours:12.2f}x{keras / ours:11.2f}x"
        )
    sys.stdout.flush()


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two repeats, one cold")
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=WORKLOADS)
    parser.add_argument("--repeats", type=int, default=8)
    arguments = parser.parse_args()
    repeats = 2 if arguments.quick else arguments.repeats
    for workload in arguments.only:
        best = warm(workload, repeats)
        for who, more in cold(workload, 1 if arguments.quick else 3).items():
            best[who].update(more)
        report(workload, best)


if __name__ == "__main__":
    main()

"""Speed side by side: minikeras, JAX and optax by hand, Keras, PyTorch.

    python -m compat.bench [--quick] [--only tiny lstm resnet50] [--against hand keras]
        [--repeats N] [--cold N] [--mixed] [--scaling] [--json FILE]

Each contender has a process of its own; they take turns, so that a busy machine slows
all of them. A cell is "median (best)", a ratio that of the medians, theirs : ours:
above 1 ours is faster (or smaller). By hand is the fastest of three loops. Cold
figures come from fresh processes in which JAX keeps and finds no compiled programs.
"""

import argparse
import json
import os
import platform
import sys

from compat.bench import interleaved, report
from compat.bench.contenders import CONTENDERS
from compat.bench.workloads import WORKLOADS, find

DEFAULT = ("hand", "keras", "tensorflow", "torch")
# What grows: the other sizes stay at those of dense-128x2-b64-n3200.
SCALING = {
    "width": [f"dense-{n}x2-b64-n3200" for n in (16, 64, 256, 1024)],
    "depth": [f"dense-128x{n}-b64-n3200" for n in (1, 4, 16, 64)],
    "batch": [f"dense-128x2-b{n}-n{50 * n}" for n in (8, 32, 128, 512, 2048)],
    "data": [f"dense-128x2-b64-n{n}" for n in (640, 6400, 64000, 640000)],
}
MIXED = ("mixed_bfloat16", "mixed_float16")
# With --quick, fresh processes are started for these only.
QUICK_COLD = ("mlp",)


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = [*WORKLOADS, "resnet50"]
    add("--only", nargs="+", choices=names, help="these workloads")
    add("--against", nargs="+", choices=[*CONTENDERS][1:], help="these contenders")
    add("--repeats", type=int, default=8, help="turns of each contender")
    add("--cold", type=int, default=3, help="fresh processes of each; 0: none")
    add("--quick", action="store_true", help="few turns, by hand and Keras-JAX alone")
    add("--mixed", action="store_true", help="also in mixed precision")
    add("--scaling", action="store_true", help="how a step of an MLP grows, alone")
    add("--json", metavar="FILE", help="write the numbers there, too")
    found = parser.parse_args()
    found.against = found.against or (DEFAULT[:2] if found.quick else DEFAULT)
    if found.quick:
        found.repeats = min(found.repeats, 3)
    return found


def start(against):
    """The contenders' processes, and a head that says what computes."""
    children = {}
    for who in ("ours", *against):
        missing = CONTENDERS[who].missing()
        if missing:
            print(f"left out: {CONTENDERS[who].title}, no {' and '.join(missing)} here")
        else:
            children[who] = interleaved.Child(who)
    versions, device = {"python": platform.python_version()}, ""
    for child in children.values():
        about = child.ask("hello")
        versions |= about["versions"]
        device = device or about["device"]
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(device, f"{os.cpu_count()} CPU cores", load, sep=", ")
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    return children, {"device": device, "versions": versions}


def turns_of(options, measures=interleaved.WARM):
    """How often the contenders get a turn, and how long it is."""
    return interleaved.Turns(options.repeats, 1 if options.quick else None, measures)


def in_float32(children, name, options):
    """Measure and print one workload; returns its rows."""
    found, loops = interleaved.warm(children, name, "float32", turns_of(options))
    count = options.cold
    if options.quick:
        count = min(count, 1) if name in QUICK_COLD else 0
    for who, more in interleaved.cold(loops, name, count).items():
        found[who] |= more
    workload = find(name)
    note = f", by hand: {loops['hand']}" if "hand" in loops else ""
    title = f"{workload.title}, batch {workload.batch}{note}"
    report.measures(title, found, [who for who in children if who != "ours"])
    return list(report.rows(name, "float32", found, loops))


def in_mixed_precision(children, name, options):
    """The same for the contenders that compute with JAX, warm figures only."""
    rows = []
    children = {who: c for who, c in children.items() if CONTENDERS[who].jax}
    for policy in MIXED:
        found, loops = interleaved.warm(children, name, policy, turns_of(options))
        report.measures(f"{name}, {policy}", found, [*children][1:])
        rows += report.rows(name, policy, found, loops)
    return rows


def resnet50(children, options):
    """Measure and print building a ResNet50."""
    builders = ("ours", "keras", "tensorflow", "keras-torch")
    loops = {who: "fit" for who in children if who in builders}
    found = interleaved.cold(loops, "resnet50", options.cold)
    for of in found.values():
        of["import"] = []  # the other tables have it
    report.measures("ResNet50", found, [who for who in loops if who != "ours"])
    return list(report.rows("resnet50", "float32", found, loops))


def scaling(children, options):
    """Measure and print how a step's cost grows, an axis each table."""
    rows, against = [], [who for who in children if who != "ours"]
    for axis, names in SCALING.items():
        lines = []
        for name in names:
            turns_now = turns_of(options, ("fit",))
            found, loops = interleaved.warm(children, name, "float32", turns_now)
            steps = {who: of["fit"] for who, of in found.items()}
            lines.append(report.line(name, steps, 1e3, against))
            rows += report.rows(name, "float32", found, loops)
        report.table(f"{axis}: fit, ms a step", against, lines)
    return rows


def workloads(children, options):
    """All workloads, one after the other."""
    rows = []
    for name in options.only or WORKLOADS:
        if name != "resnet50":
            rows += in_float32(children, name, options)
            if options.mixed:
                rows += in_mixed_precision(children, name, options)
    wanted = "resnet50" in options.only if options.only else not options.quick
    return rows + (resnet50(children, options) if wanted and options.cold else [])


def main():
    """Measure and print."""
    options = arguments()
    children, head = start(options.against)
    try:
        rows = (scaling if options.scaling else workloads)(children, options)
    finally:
        for child in children.values():
            child.close()
    if options.json:
        with open(options.json, "w") as file:
            json.dump({**head, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())

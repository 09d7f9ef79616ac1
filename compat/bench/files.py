"""Saving and loading 25 million parameters: minikeras beside Keras-JAX.

    python -m compat.bench.files [--repeats N] [--formats keras weights h5]

Both packages have a process of their own and take turns, so that a busy machine slows
both. Memory is measured in fresh processes, one for each call: how much the peak rose
above what the process held before the call. Loading may use the size of the weights,
which stay, and saving nothing; what is above that is given in sizes of the weights.
"""

import argparse
import importlib
import json
import logging
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PACKAGES = ("minikeras", "keras")
SUFFIXES = {"keras": ".keras", "weights": ".weights.h5", "h5": ".h5"}
WIDTH, DEPTH = 1768, 8  # 25.0 million parameters, 100 MB


def build(package):
    """A model of 25 million parameters; no dtype or value is special."""
    layers = [package.layers.Dense(WIDTH, "relu") for _ in range(DEPTH)]
    return package.Sequential([package.Input((WIDTH,)), *layers])


def save(package, model, path):
    """Write the format of the suffix."""
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)


def load(package, model, path):
    """Read it; weights go into the model, which exists."""
    if path.name.endswith(".weights.h5"):
        model.load_weights(path)
    else:
        model = package.saving.load_model(path)
    for variable in model.weights:  # the arrays are there, not only promised
        variable.value.block_until_ready()
    return model


def memory(field):
    """A field of the process's status, in bytes."""
    with open("/proc/self/status") as lines:
        return 1024 * int(next(x for x in lines if x.startswith(field)).split()[1])


def serve(package):
    """Answer commands of the parent, one a line, until its end."""
    package = importlib.import_module(package)
    model = build(package)
    for line in sys.stdin:
        do, path = json.loads(line)
        call = {"save": save, "load": load}[do]
        begin = time.perf_counter()
        call(package, model, pathlib.Path(path))
        print(json.dumps(time.perf_counter() - begin), flush=True)


def peak(package, do, path):
    """Print by how much one call raises the peak of this process."""
    package, path = importlib.import_module(package), pathlib.Path(path)
    small = package.Sequential([package.Input((2,)), package.layers.Dense(2)])
    warm = path.with_name(f"warm{''.join(path.suffixes)}")
    save(package, small, warm)  # imports and what they keep
    load(package, small, warm)
    whole = do == "load" and not path.name.endswith(".weights.h5")
    model = None if whole else build(package)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = memory("VmRSS")
    {"save": save, "load": load}[do](package, model, path)
    print(memory("VmHWM") - before)


def child(*arguments, **options):
    """A process of this module."""
    return subprocess.Popen(
        [sys.executable, "-m", "compat.bench.files", *arguments],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def times(folder, suffix, repeats):
    """{package: {"save", "load": seconds of each turn}}, in turns."""
    children = {p: child("--serve", p, stdin=subprocess.PIPE) for p in PACKAGES}
    found = {package: {"save": [], "load": []} for package in PACKAGES}
    for turn in range(repeats + 1):  # the first one warms up
        for do in ("save", "load"):
            for package, process in children.items():
                path = str(folder / f"{package}{suffix}")
                os.sync()  # or the one that waits for the disk waits for the other's
                process.stdin.write(json.dumps([do, path]) + "\n")
                process.stdin.flush()
                seconds = json.loads(process.stdout.readline())
                if turn:
                    found[package][do].append(seconds)
    for process in children.values():
        process.stdin.close()
        process.wait()
    return found


def peaks(folder, suffix):
    """{package: {"save", "load": bytes}}, each from a fresh process."""
    found = {package: {} for package in PACKAGES}
    for package in PACKAGES:
        for do in ("save", "load"):
            path = str(folder / f"{package}{suffix}")
            out, _ = child("--peak", package, do, path).communicate()
            found[package][do] = int(out)
    return found


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--repeats", type=int, default=5, help="turns of each package")
    add("--formats", nargs="+", choices=SUFFIXES, default=[*SUFFIXES])
    add("--serve", metavar="PACKAGE", help=argparse.SUPPRESS)
    add("--peak", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.getLogger("absl").setLevel("ERROR")  # Keras finds `.h5` too old
    if options.serve:
        return serve(options.serve)
    if options.peak:
        return peak(*options.peak)
    count = DEPTH * (WIDTH * WIDTH + WIDTH)
    print(f"{count:,} parameters; load {os.getloadavg()[0]:.1f}")
    print(
        f"{'':20}{'ours, s':>16}{'Keras, s':>16}{'ratio':>8}{'ours, x':>9}{'Keras':>7}"
    )
    for name in options.formats:
        with tempfile.TemporaryDirectory() as folder:
            folder, suffix = pathlib.Path(folder), SUFFIXES[name]
            seconds = times(folder, suffix, options.repeats)
            extra = peaks(folder, suffix)
        for do in ("save", "load"):
            report(f"{do} {suffix}", do, seconds, extra, 4 * count)
    return 0


def report(title, do, seconds, extra, size):
    """Print a line: "median (best)" of both, theirs : ours, peaks in sizes."""
    ours, theirs = (seconds[package][do] for package in PACKAGES)
    cells = [f"{statistics.median(x):.3f} ({min(x):.3f})" for x in (ours, theirs)]
    ratio = statistics.median(theirs) / statistics.median(ours)
    shares = [extra[package][do] / size for package in PACKAGES]
    print(
        f"{title:20}{cells[0]:>16}{cells[1]:>16}{ratio:8.2f}"
        f"{shares[0]:9.2f}{shares[1]:7.2f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

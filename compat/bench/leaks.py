"""Does memory grow? Models built, trained and dropped; `predict` called over and over.

    python -m compat.bench.leaks [--package keras] [--cycles N] [--calls N]

After each quarter: memory of the process, live arrays of JAX, living objects of the
package, threads. The first quarter fills caches; after it nothing may grow.
"""

import argparse
import gc
import importlib
import os
import threading
from typing import NamedTuple

os.environ["KERAS_BACKEND"] = "jax"
os.environ["MINIKERAS_CACHE"] = "0"  # each model compiles

import jax
import numpy as np


class Census(NamedTuple):
    """What there is at one moment; RSS in MB."""

    rss: float
    arrays: int
    objects: int
    threads: int


def census(package):
    """Count what is alive after the collector ran."""
    gc.collect()
    with open("/proc/self/statm") as pages:
        rss = int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    objects = sum(
        str(type(each).__module__).split(".")[0] == package.__name__
        for each in gc.get_objects()
    )
    return Census(rss, len(jax.live_arrays()), objects, threading.active_count())


def model(keras):
    """A compiled network with weights of several kinds."""
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(32, activation="relu"),
            layers.Dropout(0.2),
            layers.BatchNormalization(),
            layers.Dense(4),
        ]
    )
    network.compile("adam", "mse", metrics=["mae"])
    return network


def cycle(keras, x, y):
    """Build, train, evaluate, predict, drop."""
    network = model(keras)
    network.fit(x, y, batch_size=32, epochs=2, validation_data=(x, y), verbose=0)
    network.predict(x, verbose=0)


def watch(title, keras, count, action):
    """Print a census at the start and after each quarter of `count` actions."""
    print(
        f"\n{title}\n{'':8}{'RSS, MB':>10}{'arrays':>10}{'objects':>10}{'threads':>10}"
    )
    found = []
    for quarter in range(5):
        if quarter:
            for _ in range(count // 4):
                action()
        now = census(keras)
        found.append(now)
        cells = f"{now.rss:10.1f}{now.arrays:10}{now.objects:10}{now.threads:10}"
        print(f"{quarter * (count // 4):8}{cells}", flush=True)
    growth = ", ".join(
        f"{name} {last - first:+.4g}"
        for name, first, last in zip(Census._fields, found[1], found[-1], strict=True)
    )
    print(f"growth after the first quarter: {growth}")


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--package", default="minikeras", choices=["minikeras", "keras"]
    )
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    keras = importlib.import_module(options.package)
    rng = np.random.default_rng(0)
    x = rng.random((64, 16), dtype=np.float32)
    y = rng.random((64, 4), dtype=np.float32)
    watch(
        f"{options.package}: build, fit, predict, drop",
        *(keras, options.cycles, lambda: cycle(keras, x, y)),
    )
    network = model(keras)
    network.predict(x, verbose=0)
    watch(
        f"{options.package}: predict of one sample",
        *(keras, options.calls, lambda: network.predict(x[:1], verbose=0)),
    )


if __name__ == "__main__":
    main()

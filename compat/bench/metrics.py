"""One update of metrics: minikeras beside Keras on JAX, jitted and eager.

    python -m compat.bench.metrics [--only AUC] [--repeats N]

Both take turns in one process; the best turn counts. Jitted: `stateless_update_state`
as a training step runs it. Eager: `update_state` and `result` as a user's loop does.
"""

import argparse
import os
import time

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np

import minikeras

PACKAGES = {"minikeras": minikeras, "Keras": keras}
LABELS = {"multi_label": True, "num_labels": 10}


def scores(rows, columns):
    """Labels 0 and 1, scores in [0, 1)."""
    rng = np.random.default_rng(0)
    p = rng.random((rows, columns), dtype=np.float32)
    return jnp.asarray((rng.random(p.shape) > 0.5).astype("float32")), jnp.asarray(p)


def classes(rows, columns):
    """Labels of classes, scores of each."""
    labels = np.random.default_rng(0).integers(0, columns, rows)
    return jnp.asarray(labels), scores(rows, columns)[1]


# {title: (class, its arguments, arrays of a batch)}
METRICS = {
    "AUC, 128 x 1": ("AUC", {}, scores(128, 1)),
    "AUC, 1024 x 1": ("AUC", {}, scores(1024, 1)),
    "AUC, 128 x 10 labels": ("AUC", LABELS, scores(128, 10)),
    "AUC, 1024 x 10 labels": ("AUC", LABELS, scores(1024, 10)),
    "Mean": ("Mean", {}, scores(128, 1)[1:]),
    "MeanSquaredError": ("MeanSquaredError", {}, scores(128, 1)),
    "BinaryAccuracy": ("BinaryAccuracy", {}, scores(128, 1)),
    "SparseCategoricalAccuracy": ("SparseCategoricalAccuracy", {}, classes(128, 10)),
    "Precision": ("Precision", {}, scores(128, 1)),
    "F1Score": ("F1Score", {}, scores(128, 10)),
}


def jitted(metric, arrays):
    """A function that updates state outside of the metric."""
    values = [variable.value for variable in metric.variables]
    update = jax.jit(metric.stateless_update_state)
    return lambda: update(values, *arrays)


def eager(metric, arrays):
    """A function that updates the metric and reads it."""

    def run():
        metric.update_state(*arrays)
        return metric.result()

    return run


def seconds(function, calls):
    """Of one call."""
    start = time.perf_counter()
    for _ in range(calls):
        out = function()
    jax.block_until_ready(out)
    return (time.perf_counter() - start) / calls


def measure(title, how, repeats):
    """[best seconds of each package]."""
    name, settings, arrays = METRICS[title]
    made = []
    for package in PACKAGES.values():
        metric = getattr(package.metrics, name)(**settings)
        metric.update_state(*arrays)  # some make their variables here
        made.append(how(metric, arrays))
    for function in made:  # compile
        function()
    turns = [[seconds(f, 20) for f in made] for _ in range(repeats)]
    return [min(times) for times in zip(*turns, strict=True)]


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[""], help="starts of titles")
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    for how, unit in ((jitted, "update under jit"), (eager, "eager update and result")):
        print(f"\n{f'µs a call: {unit}':40}" + "".join(f"{n:>12}" for n in PACKAGES))
        for title in METRICS:
            if not title.startswith(tuple(arguments.only)):
                continue
            ours, theirs = measure(title, how, arguments.repeats)
            cells = f"{ours * 1e6:12.0f}{theirs * 1e6:12.0f}"
            print(f"{title:40}{cells}{theirs / ours:11.2f}x", flush=True)


if __name__ == "__main__":
    main()

"""Ctrl-C from outside, at random moments of all loops: no model is lost.

`python -m tests.stress.interrupts --count 2000` starts processes that train; each is
interrupted many times, checks its model after each interrupt and must end with the
exit status 0.
"""

import argparse
import collections
import random
import signal
import subprocess
import sys
import threading
import time

CHILD = """
import os, random, signal, sys
import numpy as np
import minikeras as keras
from minikeras import layers
signal.signal(signal.SIGINT, signal.default_int_handler)
kind, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
x = np.random.rand(4000, 8).astype("float32")
y = x[:, :1]

def new():
    model = keras.Sequential([
        keras.Input((8,)), layers.Dense(16, "relu"), layers.BatchNormalization(),
        layers.Dropout(0.2), layers.Dense(1),
    ])
    model.compile("adam", "mse", metrics=["mae"],
                  steps_per_execution=1 if kind == "one_step" else "auto")
    return model

class Nothing(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        dict(logs)

model = new()
if kind != "cold":
    model.fit(x, y, verbose=0)
size = 0

def work():
    global size, model
    if kind == "cold":  # a new shape each time, sometimes of a new model
        size = size + 1 if size < 60 else 1
        if rng.random() < 0.2:
            model = new()
        n = 32 + size
        model.fit(x[:n], y[:n], batch_size=n, verbose=0)
    elif kind == "evaluate":
        model.evaluate(x, y, verbose=0)
    elif kind == "predict":
        model.predict(x, verbose=0, batch_size=rng.choice([16, 32, 64]))
    elif kind == "train_on_batch":
        model.train_on_batch(x[:32], y[:32])
    elif kind == "batches":
        model.fit(iter([(x[:32], y[:32])] * 50), verbose=0)
    elif kind == "one_step":
        model.fit(x[:640], y[:640], verbose=0, callbacks=[Nothing()])
    else:
        model.fit(x, y, verbose=0)

for n in range(count):
    print("go", flush=True)
    try:
        while True:
            work()
    except KeyboardInterrupt:
        pass
    values = [*model.get_weights()]
    values += [v.numpy() for v in model.optimizer.variables]
    values += [v.numpy() for v in model.metrics_variables]
    assert all(np.isfinite(v).all() for v in values)
    assert len(model.weights) == 8, [w.path for w in model.weights]
    if n % 5 == 4:
        model.fit(x[:32], y[:32], verbose=0)
    print("whole", flush=True)
if rng.random() < 0.5:  # the last interrupt ends the process
    print("go", flush=True)
    try:
        while True:
            work()
    except KeyboardInterrupt:
        pass
print("end", flush=True)
"""
KINDS = (
    *("cold", "warm", "one_step", "batches"),
    *("evaluate", "predict", "train_on_batch"),
)


def interrupted(kind, count, seed):
    """Run one process; (interrupts after which the model was whole, exit status)."""
    rng = random.Random(seed)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, kind, str(count), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    whole, answered = 0, threading.Event()

    def interrupt():
        """Python drops an exception in a weakref's callback: interrupt again."""
        answered.clear()
        time.sleep(rng.uniform(0.001, 0.35 if kind == "cold" else 0.05))
        child.send_signal(signal.SIGINT)
        while not answered.wait(5):
            child.send_signal(signal.SIGINT)

    for line in child.stdout:
        answered.set()
        if line == "go\n":
            threading.Thread(target=interrupt, daemon=True).start()
        whole += line == "whole\n"
    errors = child.stderr.read()
    return whole, child.wait(), errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--each", type=int, default=25, help="interrupts of a process")
    parser.add_argument("--kinds", nargs="+", default=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    total, lost, statuses = collections.Counter(), 0, collections.Counter()
    for run in range(-(-options.count // options.each)):
        kind = options.kinds[run % len(options.kinds)]
        whole, status, errors = interrupted(kind, options.each, options.seed + run)
        total[kind] += whole
        lost += whole < options.each
        statuses[status] += 1
        if status or whole < options.each:
            print(f"{kind} {options.seed + run}: status {status}\n{errors[-1500:]}")
    print(f"{sum(total.values())} interrupts {dict(total)}")
    print(f"models lost: {lost}; exit statuses {dict(statuses)}")
    return lost or set(statuses) != {0}


if __name__ == "__main__":
    sys.exit(main())

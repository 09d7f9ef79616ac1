"""Ctrl-C at any moment of `fit` leaves the weights of the last finished step."""

import signal
import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras.core.bridge import current
from minikeras.training.interrupts import Interrupts

SCRIPT = """
import os, random, signal, threading
import numpy as np
import minikeras as keras

# A shell that starts this in the background has switched Ctrl-C off.
signal.signal(signal.SIGINT, signal.default_int_handler)
layers = [keras.Input((8,)), keras.layers.Dense(16), keras.layers.Dense(1)]
model = keras.Sequential(layers)
model.compile("adam", "mse", metrics=["mae"])
x = np.random.rand(6400, 8).astype("float32")
y = x[:, :1]
model.fit(x, y, verbose=0)
before, interrupted = int(model.optimizer.iterations.numpy()), 0
for _ in range(10):
    wait = 0.02 + 0.1 * random.random()
    timer = threading.Timer(wait, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        model.fit(x, y, epochs=1000, verbose=0)
    except KeyboardInterrupt:
        interrupted += 1
    values = model.get_weights() + [v.numpy() for v in model.optimizer.variables]
    values += [v.numpy() for v in model.metrics_variables]
    assert all(np.isfinite(v).all() for v in values)
assert interrupted == 10
assert int(model.optimizer.iterations.numpy()) > before
model.fit(x, y, verbose=0)
print("whole")
"""


def test_interrupts_at_random_moments():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "whole", done.stderr[-2000:]


@pytest.mark.parametrize("late", [False, True])
def test_a_signal_as_handlers_are_set_leaves_none_of_ours(late, monkeypatch):
    """It comes before ours has been set, or after."""

    def mine(number, frame):
        raise KeyboardInterrupt

    put, before = signal.signal, signal.signal(signal.SIGUSR1, mine)

    def interrupted(number, handler):
        if number == signal.SIGUSR1 and not late:
            signal.raise_signal(number)
        put(number, handler)
        if number == signal.SIGUSR1 and late:
            monkeypatch.undo()
            signal.raise_signal(number)

    monkeypatch.setattr(signal, "signal", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt), Interrupts():
            monkeypatch.undo()
        monkeypatch.undo()
        assert signal.getsignal(signal.SIGUSR1) is mine
        assert signal.getsignal(signal.SIGINT).__module__ != Interrupts.__module__
    finally:
        monkeypatch.undo()
        signal.signal(signal.SIGUSR1, before)


def test_of_two_signals_that_wait_both_are_delivered():
    told = []

    def mine(number, frame):
        told.append(number)
        raise KeyboardInterrupt

    numbers = [signal.SIGUSR1, signal.SIGUSR2]
    before = [signal.signal(number, mine) for number in numbers]

    def whole():
        for number in numbers:
            signal.raise_signal(number)
        assert not told

    try:
        with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
            interrupts.delay_in(whole)
            whole()
        assert told == numbers
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_results_of_an_evaluation_are_shown_whole(monkeypatch):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 3), "float32")
    model.evaluate(x, x[:, :1], verbose=0)
    assign, calls = keras.Variable.assign, []

    def mine(number, frame):
        raise KeyboardInterrupt

    def interrupted(variable, value):
        if variable.path.startswith("loss/") and current().bindings is None:
            calls.append(variable.path)
            if len(calls) == 1:
                signal.raise_signal(signal.SIGUSR1)
        return assign(variable, value)

    before = signal.signal(signal.SIGUSR1, mine)
    try:
        with pytest.raises(KeyboardInterrupt):
            monkeypatch.setattr(keras.Variable, "assign", interrupted)
            model.test_on_batch(2 * x, x[:, :1])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(set(calls)) == 2

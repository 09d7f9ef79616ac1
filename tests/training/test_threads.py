"""Threads that build, load, predict and fit at once see nothing of each other."""

import subprocess
import sys
import threading
import time

import numpy as np

import minikeras as keras
from minikeras import layers
from tests.stress.threads import one_model, work

X = np.random.default_rng(6).normal(size=(64, 3)).astype("float32")
Y = X[:, :2] ** 2


def make():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def in_threads(*acts):
    """Run them at once; what each returned. An error of any is raised."""
    found, errors = [None] * len(acts), []

    def run(i):
        try:
            found[i] = acts[i]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return found


def test_threads_under_scopes_of_their_own(tmp_path):
    until, errors = time.time() + 3, []
    threads = [
        threading.Thread(target=work, args=(n, tmp_path, until, errors))
        for n in range(1, 5)
    ]
    threads += one_model(until, errors)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0][-1]


def test_evaluations_at_once_have_metrics_of_their_own():
    model = make()
    parts = [slice(0, 16), slice(16, 40), slice(8, 64)]
    alone = [model.evaluate(X[p], Y[p], 4, 0) for p in parts]

    def evaluate(part):
        return lambda: [model.evaluate(X[part], Y[part], 4, 0) for _ in range(20)]

    for one, found in zip(alone, in_threads(*map(evaluate, parts)), strict=True):
        assert all(again == one for again in found)


def test_evaluating_a_model_that_is_trained_changes_nothing():
    model, twin, done = make(), make(), threading.Event()
    history = twin.fit(X, Y, 4, epochs=60, verbose=0, shuffle=False).history

    def fit():
        try:
            return model.fit(X, Y, 4, epochs=60, verbose=0, shuffle=False).history
        finally:
            done.set()

    def use():
        losses = []
        while not done.is_set():
            losses.append(model.evaluate(X, Y, verbose=0)[0])
            assert np.isfinite(model.predict(X, verbose=0)).all()
        return losses

    found, losses = in_threads(fit, use)
    assert found == history
    assert np.isfinite(losses).all()
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_in_several_threads_takes_turns():
    model = make()

    def train():
        for _ in range(20):
            model.train_on_batch(X[:8], Y[:8])

    in_threads(train, train, lambda: model.fit(X, Y, 16, epochs=5, verbose=0))
    assert int(model.optimizer.iterations.value) == 20 + 20 + 5 * 4


WAITING = """
import os, signal, threading, time
import numpy as np
import minikeras as keras

signal.signal(signal.SIGINT, signal.default_int_handler)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
x = np.ones((8, 3), "float32")
model.fit(x, x[:, :1], verbose=0)
trains, goes_on = threading.Event(), threading.Event()

class Wait(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        trains.set()
        goes_on.wait(60)

fit = lambda: model.fit(x, x[:, :1], verbose=0, callbacks=[Wait()])
thread = threading.Thread(target=fit)
thread.start()
trains.wait(60)
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    model.train_on_batch(x, x[:, :1])
except KeyboardInterrupt:
    print("interrupted", thread.is_alive())
goes_on.set()
thread.join()
model.fit(x, x[:, :1], verbose=0)
print(int(model.optimizer.iterations.value))
"""


def test_ctrl_c_while_another_thread_trains():
    done = subprocess.run(
        [sys.executable, "-c", WAITING], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["interrupted", "True", "3"], done.stderr[-2000:]

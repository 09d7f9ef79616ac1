"""Threads that build, load, predict and fit at once see nothing of each other."""

import subprocess
import sys
import threading
import time

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from tests.stress.threads import one_model, two_models, work

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


def test_models_that_share_a_layer_in_three_threads():
    errors = []
    threads, check = two_models(time.time() + 3, errors)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check()
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


def train_directly(model):
    return model.train_on_batch(X[:8], Y[:8])


def train_in_a_thread(model):
    return in_threads(lambda: train_directly(model))[0]


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_end"])
def test_a_callback_may_wait_for_a_thread_that_trains_the_same_model(hook):
    found = []
    for train in (train_directly, train_in_a_thread):
        model, losses = make(), []
        callback = keras.callbacks.Callback()
        act = lambda i, logs=None, m=model, t=train, e=losses: e.append(t(m))  # noqa
        setattr(callback, hook, act)
        model.fit(X, Y, 16, 2, verbose=0, callbacks=[callback], shuffle=False)
        found.append((losses, model.get_weights()))
    jax.tree_util.tree_map(np.testing.assert_array_equal, *found)


def test_training_in_another_thread_has_metrics_of_its_own():
    histories = []
    for act in (lambda model: None, train_in_a_thread):
        model, callback = make(), keras.callbacks.Callback()
        model.compile("sgd", "mse", metrics=["mae"])
        model.optimizer.learning_rate = 0.0
        callback.on_train_batch_end = lambda i, logs=None, a=act, m=model: a(m)
        history = model.fit(X, Y, 16, 2, verbose=0, callbacks=[callback])
        histories.append({k: np.sum(v) for k, v in history.history.items()})
    for key, value in histories[0].items():
        np.testing.assert_allclose(histories[1][key], value, rtol=1e-6)


@pytest.mark.parametrize("hook", ["on_test_batch_end", "on_predict_batch_end"])
def test_it_may_in_evaluations_too(hook):
    model, callback = make(), keras.callbacks.Callback()
    setattr(callback, hook, lambda i, logs=None: train_in_a_thread(model))
    if hook == "on_test_batch_end":
        model.evaluate(X, Y, 16, verbose=0, callbacks=[callback])
    else:
        model.predict(X, 16, verbose=0, callbacks=[callback])
    assert int(model.optimizer.iterations.value) == 4


def test_data_that_trains_the_model_it_feeds():
    model = make()

    def batches():
        for _ in range(8):
            time.sleep(2e-3)  # slow sources are read in a thread
            train_directly(model)
            yield X[:8], Y[:8]

    model.fit(batches(), verbose=0)
    assert int(model.optimizer.iterations.value) == 16


def fit(model, x=X, y=Y, epochs=1, **hooks):
    """History of epochs of four batches with functions as hooks."""
    callback = keras.callbacks.Callback()
    for name, function in hooks.items():
        setattr(callback, name, lambda i, logs=None, f=function: f(i))
    return model.fit(
        x, y, 16, epochs, verbose=0, callbacks=[callback], shuffle=False
    ).history


def test_leases_end_in_any_order():
    """The middle one of three first, while the topmost goes on."""
    model, trains, goes_on, threads = make(), threading.Event(), threading.Event(), []

    def start(train, until):
        threads.append(threading.Thread(target=train))
        threads[-1].start()
        until()

    def third():
        fit(model, on_train_batch_end=lambda i: trains.set() or goes_on.wait(60))

    def second():
        wait = lambda: trains.wait(60)  # noqa: E731
        fit(model, on_train_batch_end=lambda i: i == 3 and start(third, wait))

    def begin(i):
        if i == 1:
            start(second, lambda: threads[0].join())
            threading.Timer(0.3, goes_on.set).start()

    fit(model, on_train_batch_end=begin)
    threads[1].join()
    assert int(model.optimizer.iterations.value) == 12


def test_models_that_share_layers_wait_for_each_other():
    shared, optimizers = layers.Dense(3), []

    def with_shared(*more):
        model = keras.Sequential([layers.Input((3,)), shared, *more])
        model.compile("sgd", "mse")
        optimizers.append(model.optimizer)
        return model

    both, one = with_shared(layers.Dense(3)), with_shared()
    train = lambda: both.train_on_batch(X[:8], X[:8])  # noqa: E731
    inner = lambda i: in_threads(train)  # noqa: E731
    middle = lambda i: in_threads(  # noqa: E731
        lambda: fit(one, X, X, on_train_batch_end=inner)
    )
    fit(both, X, X, on_train_batch_end=middle)
    assert [int(o.iterations.value) for o in optimizers] == [4 + 16, 16]


def test_metrics_of_a_training_below_are_reset_there():
    """Its next epoch begins while the one on top is within an epoch of its own."""

    def losses(at_once):
        model, found = make(), []
        first, second = threading.Event(), threading.Event()
        model.optimizer.learning_rate = 0.0

        def wait(i):
            first.set()
            if at_once and i == 1:
                second.wait(60)

        def train():
            found.append(fit(model, 3 * X, Y, on_train_batch_end=wait)["loss"])

        other = threading.Thread(target=train)

        def end(epoch):
            if epoch == 0:
                other.start()
                first.wait(60) if at_once else other.join()

        def begin(epoch):
            if epoch == 1:
                second.set()

        mine = fit(model, epochs=2, on_epoch_end=end, on_epoch_begin=begin)
        other.join()
        return mine["loss"], found[0]

    jax.tree_util.tree_map(np.testing.assert_allclose, losses(True), losses(False))


def test_an_evaluation_below_another_threads_training_counts_as_alone():
    """A callback's evaluation leaves its numbers in the metrics of its own thread."""

    def losses(at_once):
        model, on_top, goes_on = make(), threading.Event(), threading.Event()
        model.optimizer.learning_rate = 0.0
        wait = lambda i: on_top.set() or goes_on.wait(60)  # noqa: E731
        other = threading.Thread(target=lambda: fit(model, on_train_batch_end=wait))

        def evaluate(i):
            if i == 1:
                if at_once:
                    other.start()
                    on_top.wait(60)
                model.evaluate(X + 1, Y, verbose=0)
                goes_on.set()

        found = fit(model, on_train_batch_end=evaluate)
        if at_once:
            other.join()
        return found

    assert losses(True) == losses(False)


def test_predictions_start_from_all_of_the_weights_that_are_set():
    model, stop = make(), threading.Event()

    def assign():
        for i in range(100_000):
            model.set_weights([np.full((3, 2), i), np.full(2, i)])
            if stop.is_set():
                break

    def predict():
        try:
            one = np.full((1, 3), 1.0, "float32")
            return [model.predict_on_batch(one)[0, 0] / 4 for _ in range(200)]
        finally:
            stop.set()

    predict()
    stop.clear()
    _, found = in_threads(assign, predict)
    assert all(float(x).is_integer() for x in found[1:]) and len(set(found)) > 2


class Fails(layers.Layer):
    """Its step fails on the device, `now`."""

    now = False

    def _maybe(self, _):
        if self.now:
            raise OSError("no device")

    def call(self, x, training=False):
        if training:
            jax.debug.callback(self._maybe, x)
        return x


def test_a_step_that_fails_leaves_the_training_below_whole():
    fails, errors = Fails(), []
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2), fails])
    model.compile("sgd", "mse")

    def fail(i):
        fails.now = i == 1
        try:
            train_in_a_thread(model)
        except Exception as error:
            errors.append(error)
        fails.now = False

    fit(model, on_train_batch_end=fail)
    assert len(errors) == 1
    assert np.isfinite(model.get_weights()[0]).all()
    assert int(model.optimizer.iterations.value) == 4 + 3


class Slow(layers.Layer):
    """A step that takes until somebody lets it go on."""

    def __init__(self):
        super().__init__()
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def _wait(self, _):
        self.begun.set()
        self.goes_on.wait(60)

    def call(self, x, training=False):
        if training:
            jax.debug.callback(self._wait, x[0, 0])
        return x


def test_what_others_do_during_a_step_waits_for_it():
    """ReadLease waits, and what is assigned is what the next step starts from."""
    slow, model = Slow(), make()
    model = keras.Sequential([model, slow])
    model.compile("sgd", "mse")
    model.predict(X, verbose=0)
    given = [np.full(w.shape, 7.0, "float32") for w in model.get_weights()]

    def others():
        slow.begun.wait(60)
        model.optimizer.learning_rate.assign(0.0)
        model.set_weights(given)
        weights = model.get_weights()
        threading.Timer(1.2, slow.goes_on.set).start()
        model.predict(X, verbose=0)
        return weights

    _, weights = in_threads(lambda: model.fit(X, Y, 32, verbose=0), others)
    for got, end, want in zip(weights, model.get_weights(), given, strict=True):
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(end, want)
    assert float(model.optimizer.learning_rate) == 0.0


def test_a_layer_may_use_another_model_in_a_thread_as_it_is_built():
    other = make()
    other.predict(X, verbose=0)

    class Scale(layers.Layer):
        def build(self, input_shape):
            mean = in_threads(lambda: other.predict_on_batch(X))[0].mean()
            self.scale = self.add_weight((), keras.initializers.Constant(mean))

        def call(self, x):
            return x * self.scale

    model = keras.Sequential([Scale()])
    model.predict(X, verbose=0)
    assert float(model.layers[0].scale) == other.predict(X, verbose=0).mean()


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

def wait(batch, logs):
    trains.set()
    goes_on.wait(60)

def fit(**hooks):
    callback = keras.callbacks.LambdaCallback(**hooks)
    model.fit(x, x[:, :1], verbose=0, callbacks=[callback])

thread = threading.Thread(target=lambda: fit(on_train_batch_end=wait))

def start(epoch, logs):
    thread.start()
    trains.wait(60)
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

try:
    fit(on_epoch_begin=start)  # its step waits for the other `fit`
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

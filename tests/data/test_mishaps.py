"""Bad input in mid-stream: a clear error, a whole model, no thread, no process left."""

import gc
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import minikeras as keras
from tests.data.light_source import Source, X, Y, batch


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return model


def workers():
    """Ids of our worker processes that still exist."""
    command = ["pgrep", "-P", str(os.getpid()), "-f", "data/worker_process.py"]
    listed = subprocess.run(command, capture_output=True, text=True)
    return set(map(int, listed.stdout.split()))


@pytest.fixture(autouse=True)
def nothing_left():
    threads = set(threading.enumerate())
    yield
    gc.collect()
    assert set(threading.enumerate()) == threads
    assert not workers()
    assert not multiprocessing.active_children()


def assert_whole(model, steps):
    """It has made `steps` steps, and can go on."""
    assert int(model.optimizer.iterations.numpy()) == steps
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def notes(caught):
    return "\n".join(caught.value.__notes__)


def stream(*batches):
    for item in batches:
        if isinstance(item, BaseException):
            raise item
        yield item


@pytest.mark.parametrize("steps", [None, 4])
def test_a_generator_that_raises(model, steps):
    source = stream(batch(0), batch(1), RuntimeError("disk on fire"))
    with pytest.raises(RuntimeError, match="disk on fire") as caught:
        model.fit(source, steps_per_epoch=steps, verbose=0)
    assert "batch 2 (counted from 0) of the generator" in notes(caught)
    assert_whole(model, 2)


@pytest.mark.parametrize(
    ("odd", "shapes"),
    [
        ((np.ones((2, 4)), Y[:2]), r"(float64[2, 4], int64[2])"),
        ((X[:3], Y[:2]), r"(float32[3, 3], int64[2])"),
        ((X[:2],), r"(float32[2, 3],)"),
        (({"a": X[:2], "b": X[:2]}, Y[:2]), r"'b': float32[2, 3]}, int64[2])"),
    ],
)
def test_a_batch_of_another_form(model, odd, shapes):
    with pytest.raises(ValueError) as caught:
        model.fit(stream(batch(0), batch(1), odd), verbose=0)
    assert "on batch 2 (counted from 0)" in notes(caught)
    assert shapes in notes(caught)
    assert "the first batch was (float32[2, 3], int64[2])" in notes(caught)
    assert_whole(model, 2)


def test_in_evaluate_and_predict(model):
    odd = (np.ones((2, 4)), Y[:2])
    for call in (model.evaluate, model.predict):
        with pytest.raises(ValueError) as caught:
            call(stream(batch(0), odd), verbose=0)
        assert "batch 1 (counted from 0), (float64[2, 4]" in notes(caught)


def test_batches_of_another_size_are_fine(model):
    history = model.fit(stream(batch(0), batch(0, 3), batch(0, 1)), verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert_whole(model, 3)


def test_nan_is_fine(model):
    history = model.fit(stream(batch(0), (X[:2] * np.nan, Y[:2])), verbose=0)
    assert np.isnan(history.history["loss"][0])


@pytest.mark.parametrize("what", [np.array([["a"]]), np.array([[None]])])
def test_strings_and_objects(model, what):
    with pytest.raises(ValueError, match="expected numbers") as caught:
        model.fit(stream(batch(0), (what, Y[:1])), verbose=0)
    assert "batch 1" in notes(caught)
    assert_whole(model, 1)


@pytest.mark.parametrize(
    "settings", [{}, {"workers": 2}, {"workers": 2, "use_multiprocessing": True}]
)
class TestPyDataset:
    def test_raises(self, model, settings):
        with pytest.raises(RuntimeError, match="disk on fire") as caught:
            model.fit(Source("raised", **settings), shuffle=False, verbose=0)
        assert "Source.__getitem__(5)" in notes(caught)
        assert "batch 5 (counted from 0) of the PyDataset" in notes(caught)
        assert ("In the worker process" in notes(caught)) == (len(settings) == 2)
        assert_whole(model, 5)

    @pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end"])
    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    def test_interrupted(self, model, settings, hook, error):
        def stop(*args):
            raise error

        callback = keras.callbacks.Callback()
        setattr(callback, hook, stop)
        source, validation = Source(**settings), Source(**settings)
        with pytest.raises(error):
            model.fit(
                source, validation_data=validation, callbacks=[callback], verbose=0
            )
        assert_whole(model, 1 if hook == "on_train_batch_end" else 8)

    @pytest.mark.parametrize("steps", [None, 5])
    def test_nothing_is_left(self, model, settings, steps):
        """Nor while results of `fit` and the data set are still there."""
        source = Source(**settings)
        history = model.fit(source, epochs=2, steps_per_epoch=steps, verbose=0)
        alive = [t for t in threading.enumerate() if "PyDataset" in t.name]
        assert history and not alive
        model.evaluate(source, verbose=0)
        assert model.predict(source, verbose=0).shape == (16, 2)

    def test_shorter_than_steps(self, model, settings):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = model.fit(
                Source(**settings), steps_per_epoch=9, epochs=2, verbose=0
            )
        assert [("ran out" in str(w.message)) for w in caught] == [True, True]
        assert history.epoch == [0, 1]
        assert_whole(model, 16)


def test_a_killed_worker(model):
    source = Source("killed", workers=2, use_multiprocessing=True)
    with pytest.raises(RuntimeError, match="worker process ended abruptly.*-9") as e:
        model.fit(source, shuffle=False, verbose=0)
    assert "Source.__getitem__(5)" in notes(e)
    assert_whole(model, 5)


def test_a_worker_killed_between_epochs(model):
    def kill(epoch, logs):
        for worker in workers():
            os.kill(worker, signal.SIGKILL)

    source = Source(workers=2, use_multiprocessing=True)
    callback = keras.callbacks.LambdaCallback(on_epoch_end=kill)
    with pytest.raises(RuntimeError, match="worker process ended abruptly"):
        model.fit(source, callbacks=[callback], epochs=3, verbose=0)
    assert_whole(model, 8)


SCRIPT = """
import os, signal, subprocess, threading
import numpy as np
import minikeras as keras
from minikeras.data import get_adapter
from tests.data.light_source import Source
from tests.data.test_mishaps import workers

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", "sparse_categorical_crossentropy")
model.fit(Source(), verbose=0)
processes = {"workers": 2, "use_multiprocessing": True}
for settings in {}, {"workers": 2}, processes:
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        model.fit(Source(**settings), epochs=10**6, verbose=0)
    except KeyboardInterrupt as error:
        timer.join()
        assert threading.enumerate() == [threading.main_thread()]
        assert not workers()
        assert np.isfinite(model.get_weights()[0]).all()
    else:
        raise AssertionError("not interrupted")
iterator = iter(get_adapter(Source(**processes)))
next(iterator)  # and leave it at that
print(*workers())
"""


def test_ctrl_c_and_the_end_of_the_interpreter():
    root = pathlib.Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT]
    run = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()
    for worker in map(int, run.stdout.split()):
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)

"""Eight threads that build, load, predict and fit under scopes of their own.

`python -m tests.stress.threads --seconds 60`: nothing of one may be seen in another.
"""

import argparse
import random
import tempfile
import threading
import time
import traceback

import numpy as np

import minikeras as keras
from minikeras import layers

X = np.random.RandomState(0).rand(16, 3).astype("float32")


class Scale(layers.Layer):
    """A class that files know by one name, and that is another in each thread."""

    factor = 0.0

    def call(self, x):
        return x * self.factor


def work(number, folder, until, errors):
    """One thread's rounds: those of even number trust their files."""
    mine = type("Scale", (Scale,), {"factor": float(number)})
    trusts, path = number % 2 == 0, f"{folder}/{number}.keras"
    function = keras.saving.serialize_keras_object(lambda x: x + number)
    rounds = 0
    try:
        while time.time() < until:
            with keras.saving.custom_object_scope({"Scale": mine}):
                model = keras.Sequential([keras.Input((3,)), mine(), layers.Dense(2)])
                model.save(path)
                again = keras.saving.load_model(path)
                assert type(again.layers[0]) is mine
                assert keras.saving.get_registered_object("Scale") is mine
            assert keras.saving.get_registered_object("Scale") is None
            np.testing.assert_array_equal(
                again.predict(X, verbose=0), model.predict(X, verbose=0)
            )
            np.testing.assert_allclose(again.layers[0](X), X * number)
            try:
                read = keras.saving.deserialize_keras_object(
                    function, safe_mode=not trusts
                )
                assert trusts and read(1) == 1 + number
            except ValueError:
                assert not trusts
            again.compile("sgd", "mse")
            again.fit(X, X[:, :2], verbose=0)
            with keras.name_scope(f"thread{number}"):
                path_of = keras.Variable(1.0, name="v").path
            assert path_of == f"thread{number}/v"
            rounds += 1
    except Exception:
        errors.append((number, rounds, traceback.format_exc()))
    return rounds


def one_model(until, errors):
    """One model trained, evaluated, used and read in threads at once."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    y = X[:, :2]
    model.fit(X, y, verbose=0)

    def run(act):
        try:
            while time.time() < until:
                act()
        except Exception:
            errors.append(("one model", 0, traceback.format_exc()))

    def read():
        assert all(np.isfinite(w).all() for w in model.get_weights())

    acts = (
        lambda: model.fit(X, y, verbose=0),
        lambda: model.train_on_batch(X, y),
        lambda: model.evaluate(X, y, verbose=0),
        lambda: model.predict(X, verbose=0),
        lambda: model.predict_on_batch(X),
        read,
    )
    return [threading.Thread(target=run, args=(act,)) for act in acts]


def two_models(until, errors):
    """Two models that share a layer, trained and evaluated in three threads, which
    freeze it, and train in the callbacks of each other: no step is lost."""
    shared, steps, lock = layers.Dense(2), [], threading.Lock()
    models = [
        keras.Sequential([keras.Input((3,)), *below, shared])
        for below in ([], [layers.Dense(3)])
    ]
    for model in models:
        model.compile("sgd", "mse", metrics=["mae"])
        model.predict(X, verbose=0)
    one, other = models

    def count(*_):
        with lock:
            steps.append(1)

    def run(number):
        draw = random.Random(number)
        callback = keras.callbacks.LambdaCallback

        def use(*_):
            chosen = draw.randrange(10)
            if chosen < 2:
                other.evaluate(X, X[:, :2], verbose=0)
            elif chosen < 4:
                one.predict(X, verbose=0)
            elif chosen == 4:
                other.train_on_batch(X, X[:, :2])
            elif chosen == 5:
                shared.bias.assign(np.zeros(2, "float32"))

        def freeze(*_):
            other.layers[0].trainable = not other.layers[0].trainable

        trains = callback(on_train_batch_begin=use, on_train_batch_end=count)
        freezes = callback(on_train_batch_end=use, on_epoch_end=freeze)
        watches = callback(on_test_batch_end=use)
        acts = (
            lambda: one.fit(X, X[:, :2], 8, 2, verbose=0, callbacks=[trains]),
            lambda: other.fit(X, X[:, :2], 8, 3, verbose=0, callbacks=[freezes]),
            lambda: other.evaluate(X, X[:, :2], 8, verbose=0, callbacks=[watches]),
            lambda: count(one.train_on_batch(X, X[:, :2])),
            lambda: [model.get_weights() for model in models],
        )
        try:
            while time.time() < until:
                draw.choice(acts)()
        except Exception:
            errors.append(("two models", 0, traceback.format_exc()))

    def check():
        done = int(one.optimizer.iterations.value)
        if done != len(steps):
            errors.append(("two models", 0, f"{done} steps of {len(steps)} are left"))

    return [threading.Thread(target=run, args=(n,)) for n in range(3)], check


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    until, errors = time.time() + options.seconds, []
    with tempfile.TemporaryDirectory() as folder:
        threads = [
            threading.Thread(target=work, args=(n, folder, until, errors))
            for n in range(1, 9)
        ]
        threads += one_model(until, errors)
        more, check = two_models(until, errors)
        threads += more
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check()
    for number, rounds, text in errors[:3]:
        print(f"thread {number}, round {rounds}:\n{text}")
    print(f"{len(errors)} leaks or errors in {options.seconds:.0f} s")
    return bool(errors)


if __name__ == "__main__":
    raise SystemExit(main())

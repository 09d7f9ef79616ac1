"""Eight threads that build, load, predict and fit under scopes of their own.

`python -m tests.stress.threads --seconds 60`: nothing of one may be seen in another.
"""

import argparse
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
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number, rounds, text in errors[:3]:
        print(f"thread {number}, round {rounds}:\n{text}")
    print(f"{len(errors)} leaks or errors in {options.seconds:.0f} s")
    return bool(errors)


if __name__ == "__main__":
    raise SystemExit(main())

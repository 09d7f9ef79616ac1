"""What public calls take from `random` and `np.random` is what Keras takes.

A draw more or less, and everything drawn later is another number: the weights of the
next layer, the next epoch's order.
"""

import functools
import itertools
import random

import jax
import keras
import numpy as np
import pytest

import minikeras

X = np.random.RandomState(0).rand(10, 3).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


def own_step(module):
    """A model class with a `train_step` in Keras-on-JAX's form, and a metric."""

    class Own(module.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.seen = module.metrics.Mean(name="seen")

        def train_step(self, state, data):
            params, others, slots, metrics = state
            x, y = data[:2]

            def loss(params):
                out, new = self.stateless_call(params, others, x, training=True)
                return module.ops.mean((out - y) ** 2), new

            (value, others), grads = jax.value_and_grad(loss, has_aux=True)(params)
            params, slots = self.optimizer.stateless_apply(slots, grads, params)
            return {"seen": value}, (params, others, slots, metrics)

    return Own


def penalized(module):
    class Penalized(module.layers.Layer):
        def call(self, x):
            self.add_loss(module.ops.mean(x**2))
            return x

    return Penalized()


def make(module, built, loss, metrics, own):
    kind = own_step(module) if own else module.Model
    stack = [module.layers.Dense(2), penalized(module), module.layers.Dense(1)]
    if built:
        x = inputs = module.Input((3,))
        for layer in stack:
            x = layer(x)
        model = kind(inputs, x)
    else:

        class Stack(kind):
            def __init__(self):
                super().__init__()
                self.stack = stack

            def call(self, x, training=None):
                for layer in self.stack:
                    x = layer(x)
                return x

        model = Stack()
    model.compile(
        "sgd", loss="mse" if loss else None, metrics=["mae"] if metrics else None
    )
    return model


def source(module, kind):
    if kind == "arrays":
        return (X, Y), {"batch_size": 4}
    if kind == "generator":
        return (((X[i : i + 4], Y[i : i + 4]) for i in itertools.cycle((0, 4))),), {
            "steps_per_epoch": 2
        }

    class Data(module.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, i):
            return X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]

    return (Data(),), {}


def validation(kind):
    if kind == "split":
        return {"validation_split": 0.3}
    return {"validation_data": (X[:4], Y[:4])} if kind == "data" else {}


def states():
    _, words, position, *_ = np.random.get_state()
    return hash(random.getstate()), hash(words.tobytes()), position


def generated(module, built, loss, metrics, own, kind, val):
    """The states of both generators after each call."""
    module.utils.set_random_seed(3)
    found = []

    def then(name, call):
        call()
        found.append((name, states()))

    model = make(module, built, loss, metrics, own)
    then("compile", lambda: None)
    for n in range(2):
        data, settings = source(module, kind)
        fit = functools.partial(model.fit, *data, **settings, **validation(val))
        then(f"fit {n}", lambda fit=fit: fit(epochs=2, verbose=0))
    if loss or not own:
        then("evaluate", lambda: model.evaluate(X, Y, verbose=0))
    then("predict", lambda: model.predict(X, verbose=0))
    then("train_on_batch", lambda: model.train_on_batch(X, Y))
    then("summary", lambda: model.summary(print_fn=lambda *_, **__: None))
    then("a new layer", lambda: module.layers.Dense(1).build((None, 2)))
    return found


def grid():
    flags = (False, True)
    kinds, validations = ("arrays", "generator", "PyDataset"), ("none", "split", "data")
    every = itertools.product(flags, flags, flags, flags, kinds, validations)
    for n, row in enumerate(every):
        if row[4] != "arrays" and row[5] == "split":
            continue  # refused by both
        yield pytest.param(*row, marks=[] if n % 13 == 0 else [pytest.mark.slow])


@pytest.mark.parametrize(
    ("built", "loss", "metrics", "own", "kind", "val"), list(grid())
)
def test_draws_of_training(built, loss, metrics, own, kind, val):
    ours, theirs = (
        generated(module, built, loss, metrics, own, kind, val)
        for module in (minikeras, keras)
    )
    assert ours == theirs

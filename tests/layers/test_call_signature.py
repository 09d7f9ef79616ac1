"""Layers whose `call` has parameters of every kind, eagerly and in graphs."""

import functools

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

X = np.array([[1.0, 2.0, 3.0]], "float32")


class Rest(layers.Layer):
    def call(self, *xs):
        return sum(xs)


class FirstAndRest(layers.Layer):
    def call(self, x, *xs):
        return x + sum(xs)


class TwoAndRest(layers.Layer):
    def call(self, x, y, *xs, factor=2):
        return x + factor * y + sum(xs)


class PositionalOnly(layers.Layer):
    def call(self, x, y, /):
        return x - 2 * y


class KeywordOnly(layers.Layer):
    def call(self, *, x):
        return 3 * x


class Undecorated(layers.Layer):
    def call(self, *args, **kwargs):
        return args[0] * kwargs.get("factor", 2)


class Static(layers.Layer):
    @staticmethod
    def call(x):
        return 3 * x


class OfTheClass(layers.Layer):
    factor = 4

    @classmethod
    def call(cls, x):
        return cls.factor * x


class Partial(layers.Layer):
    def scale(self, x, factor):
        return factor * x

    call = functools.partialmethod(scale, factor=5)


class Compiled(layers.Layer):
    @functools.partial(jax.jit, static_argnums=0)
    def call(self, x):
        return 6 * x


class Holding(layers.Layer):
    """Has layers of its own, which are built by a run on shapes."""

    def __init__(self):
        super().__init__()
        self.dense = [layers.Dense(2, kernel_initializer="ones") for _ in range(2)]

    def call(self, *xs):
        return sum(dense(x) for dense, x in zip(self.dense, xs, strict=True))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (lambda x: Rest()(x), X),
        (lambda x: Rest()(x, x), 2 * X),
        (lambda x: FirstAndRest()(x, x, x), 3 * X),
        (lambda x: TwoAndRest()(x, x), 3 * X),
        (lambda x: TwoAndRest()(x, x, x, factor=4), 6 * X),
        (lambda x: PositionalOnly()(x, x), -X),
        (lambda x: KeywordOnly()(x=x), 3 * X),
        (lambda x: Undecorated()(x), 2 * X),
        (lambda x: Undecorated()(x, factor=5), 5 * X),
        (lambda x: Static()(x), 3 * X),
        (lambda x: OfTheClass()(x), 4 * X),
        (lambda x: Partial()(x), 5 * X),
        (lambda x: Compiled()(x), 6 * X),
        (lambda x: Holding()(x, x), np.full((1, 2), 12.0)),
    ],
)
def test_parameters_of_any_kind(layer, expected):
    np.testing.assert_array_equal(layer(X), expected)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, expected.shape[1])
    np.testing.assert_array_equal(model(X), expected)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


class Mode(layers.Layer):
    def call(self, x, training=True):
        self.seen = training
        return x


def test_training_of_none_is_passed_on():
    layer = Mode()
    for arguments, seen in (
        ({}, True),
        ({"training": None}, None),
        ({"training": False}, False),
    ):
        layer(X, **arguments)
        assert layer.seen is seen
    layer(X, None)
    assert layer.seen is None


def test_training_is_not_among_the_free_keywords():
    class Free(keras.Model):
        def call(self, x, **others):
            self.seen = dict(others)
            return x

    model = Free()
    model(X, training=True)
    assert model.seen == {}
    model(X, other=1)
    assert model.seen == {"other": 1}
    model.compile(loss="mse")
    model.evaluate(X, X, verbose=0)
    assert model.seen == {}

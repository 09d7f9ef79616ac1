"""Models that go to Keras and back in memory."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import random
import sys

import keras
import numpy as np
import pytest

import minikeras
from minikeras.parity.exchange import from_keras, to_keras, value_of

WAYS = pytest.mark.parametrize(
    "source, exchange, target",
    [(keras, from_keras, minikeras), (minikeras, to_keras, keras)],
    ids=["from_keras", "to_keras"],
)


@pytest.fixture(autouse=True)
def _begin():
    for package in (keras, minikeras):
        package.utils.clear_session()
        package.utils.set_random_seed(11)


def random_array(*shape, seed=0):
    return np.random.default_rng(seed).normal(0.3, 1.0, shape).astype("float32")


def assert_same(model, other, x):
    """Bit-equal Variables, flags, equal outputs."""
    for a, b in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(value_of(a), value_of(b), a.path)
        assert a.trainable == b.trainable, a.path
    np.testing.assert_allclose(other(x), model(x), rtol=1e-6, atol=1e-6)


def two_inputs(package):
    """A shared layer, a nested model that is frozen, draws, half precision."""
    layers = package.layers
    left, right = package.Input((3,), name="left"), package.Input((3,), name="right")
    base = package.Sequential([package.Input((3,)), layers.Dense(4, "tanh")])
    base.trainable = False
    shared = layers.Dense(2, dtype="mixed_bfloat16", name="shared")
    joined = layers.Concatenate()([shared(base(left)), shared(base(right))])
    joined = layers.BatchNormalization()(layers.Dropout(0.4)(joined))
    outputs = layers.Dense(1, dtype="float32")(joined)
    model = package.Model([left, right], outputs, name="two")
    model.compile("adam", "mse", metrics=["mae"])
    return model


@WAYS
def test_training_goes_on(source, exchange, target):
    model = two_inputs(source)
    x, y = [random_array(6, 3), random_array(6, 3, seed=1)], random_array(6, 1)
    for _ in range(3):
        model.train_on_batch(x, y)
    states = random.getstate(), np.random.get_state()[1].tolist()
    weights = [value_of(v) for v in model.variables]
    other = exchange(model)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    assert isinstance(other, target.Model) and other.name == "two"
    for before, v in zip(weights, model.variables, strict=True):
        np.testing.assert_array_equal(before, value_of(v), v.path)
    assert_same(model, other, x)
    assert int(other.optimizer.iterations.numpy()) == 3
    pairs = zip(model.optimizer.variables, other.optimizer.variables, strict=True)
    for a, b in pairs:
        np.testing.assert_array_equal(value_of(a), value_of(b), a.path)
    model.reset_metrics()
    losses = [[m.train_on_batch(x, y)[0] for _ in range(2)] for m in (model, other)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


@WAYS
def test_functions_are_carried_over(source, exchange, target):
    factor = {"value": 2.5}  # in a closure: no bytecode could hold it

    def scale(x):
        return x * factor["value"]

    def other_scale(x):
        return x - 1.0

    other_scale.__name__ = "scale"
    layers = source.layers
    model = source.Sequential(
        [
            source.Input((3,)),
            layers.Lambda(lambda x: x * factor["value"]),
            layers.Lambda(scale),
            layers.Dense(2, activation=other_scale),
            layers.Dense(2, activation=lambda x: x / 2),
        ]
    )
    model.compile("sgd", loss=lambda y, p: (y - p) ** 2)
    other = exchange(model)
    x, y = random_array(4, 3), random_array(4, 2)
    assert_same(model, other, x)
    assert other.layers[1].function is scale
    assert other.layers[2].activation is other_scale
    assert (scale.__name__, other_scale.__name__) == ("scale", "scale")
    assert model.layers[0].function.__name__ == "<lambda>"
    losses = [m.evaluate(x, y, verbose=0) for m in (model, other)]
    np.testing.assert_allclose(*losses, rtol=1e-6)


def scale_class(package):
    """A layer of the user's that keeps an array beside its weights."""

    class Scale(package.layers.Layer):
        def __init__(self, start=1.0, **kwargs):
            super().__init__(**kwargs)
            self.start, self.offset = start, np.zeros(3, "float32")

        def build(self, shape):
            self.k = self.add_weight(shape=shape[-1:], initializer="ones", name="k")

        def call(self, x):
            return x * self.k * self.start + self.offset

        def save_own_variables(self, store):
            super().save_own_variables(store)
            store["offset"] = self.offset

        def load_own_variables(self, store):
            super().load_own_variables({"0": store["0"]})
            self.offset = store["offset"]

        def get_config(self):
            return {**super().get_config(), "start": self.start}

    return Scale


@WAYS
def test_a_class_of_the_users_needs_a_counterpart(source, exchange, target):
    mine, theirs = scale_class(source), scale_class(target)
    layer = mine(2.0)
    model = source.Sequential([source.Input((3,)), layer])
    layer.k.assign(random_array(3))
    layer.offset = random_array(3, seed=4)
    other = exchange(model, custom_objects={"Scale": theirs})
    assert type(other.layers[0]) is theirs
    assert_same(model, other, random_array(2, 3))
    with pytest.raises(ValueError, match=r"Scale is a class of your own.*custom_obj"):
        exchange(model)
    with pytest.raises(ValueError, match=f"a class of {source.__name__}'s"):
        exchange(model, custom_objects={"Scale": mine})


@WAYS
def test_a_counterpart_with_other_weights_is_refused(source, exchange, target):
    class Scale(scale_class(target)):
        def build(self, shape):
            self.k = self.add_weight(shape=(shape[-1], 2), name="k")

    layer = scale_class(source)()
    layer(random_array(2, 3))
    with pytest.raises(ValueError, match="of other shapes, first at '.*k'"):
        exchange(layer, custom_objects={"Scale": Scale})


@WAYS
def test_single_layers(source, exchange, target):
    layer = source.layers.LSTM(3, recurrent_dropout=0.2, name="cell")
    x = random_array(2, 4, 3)
    layer(x)
    layer.trainable = False
    layer.cell.bias.trainable = False
    other = exchange(layer)
    assert isinstance(other, target.layers.LSTM)
    assert not other.trainable and other.name == "cell"
    assert_same(layer, other, x)
    unbuilt = exchange(source.layers.Dense(2, name="later"))
    assert not unbuilt.built and unbuilt.units == 2


@WAYS
def test_adapted_normalization(source, exchange, target):
    layer = source.layers.Normalization()
    layer.adapt(random_array(20, 3))
    assert_same(layer, exchange(layer), random_array(4, 3, seed=2))


@WAYS
def test_a_loss_scale_before_the_first_step(source, exchange, target):
    model = source.Sequential([source.Input((3,)), source.layers.Dense(1)])
    optimizer = source.optimizers.LossScaleOptimizer(source.optimizers.SGD(0.3))
    model.compile(optimizer, "mse")
    other = exchange(model)
    x, y = random_array(4, 3), random_array(4, 1)
    losses = [[m.train_on_batch(x, y) for _ in range(2)] for m in (model, other)]
    np.testing.assert_allclose(*losses, rtol=1e-6)


@pytest.mark.parametrize(
    "exchange, wrong, message",
    [
        (from_keras, 3, "builtins.int"),
        (from_keras, keras.layers.Dense, "the class keras.*Dense"),
        (from_keras, minikeras.layers.Dense(2), "minikeras.*Dense"),
        (to_keras, keras.layers.Dense(2), "takes a model or layer of minikeras, got"),
        (to_keras, keras.optimizers.Adam(), "keras.*Adam"),
    ],
)
def test_what_is_no_model_is_refused(exchange, wrong, message):
    with pytest.raises(TypeError, match=message):
        exchange(wrong)


def test_what_only_minikeras_has_is_named():
    import optax

    model = minikeras.Sequential([minikeras.Input((3,)), minikeras.layers.Dense(1)])
    model.compile(optax.sgd(0.1), "mse")
    with pytest.raises(ValueError, match=r"to_keras: keras could .*OptaxOptim"):
        to_keras(model)


def test_without_keras_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ImportError, match=r'pip install "minikeras-jax\[parity\]"'):
        to_keras(minikeras.layers.Dense(2))


def test_minikeras_in_the_place_of_keras_is_noticed(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", minikeras)
    with pytest.raises(ImportError, match="uninstall_as_keras"):
        from_keras(minikeras.layers.Dense(2))

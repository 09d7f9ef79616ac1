"""Sequential: growing, shrinking, deferred building, shapes and names."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

X = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")


@pytest.mark.parametrize(
    "first",
    [
        lambda: [layers.Input((3,)), layers.Dense(2)],
        lambda: [keras.Input((3,)), layers.Dense(2)],
        lambda: [layers.Input(batch_shape=(None, 3)), layers.Dense(2)],
        lambda: [layers.Dense(2, input_shape=(3,))],
        lambda: [layers.Dense(2, input_dim=3)],
        lambda: [layers.Dense(2, batch_input_shape=(None, 3))],
    ],
)
def test_ways_to_give_the_input_shape(first):
    model = keras.Sequential(first())
    assert model.built and model.input_shape == (None, 3)
    assert model.output_shape == (None, 2) and len(model.layers) == 1
    assert [w.shape for w in model.weights] == [(3, 2), (2,)]


def test_deferred_build():
    model = keras.Sequential([layers.Dense(4), layers.Dense(2)])
    assert not model.built and model.weights == []
    for name in ("input_shape", "output_shape", "inputs", "outputs"):
        with pytest.raises(AttributeError, match="not built|build"):
            getattr(model, name)
    with pytest.raises(ValueError, match="build"):
        model.count_params()
    assert model(X).shape == (4, 2)
    assert model.built and model.input_shape == (None, 3) or model.input_shape == (4, 3)
    assert model.count_params() == 3 * 4 + 4 + 4 * 2 + 2


def test_build_by_shape():
    model = keras.Sequential([layers.Dense(4)])
    model.build((None, 3))
    assert model.output_shape == (None, 4)
    with pytest.raises(ValueError, match="already been configured"):
        model.build((None, 5))
    with pytest.raises(ValueError, match="no layers"):
        keras.Sequential().build((None, 5))


def test_add_and_pop():
    model = keras.Sequential([layers.Input((3,)), layers.Dense(4, name="a")])
    model.add(layers.Dense(2, name="b"))
    assert model.output_shape == (None, 2)
    kernel = model.layers[0].kernel.numpy()
    popped = model.pop()
    assert popped.name == "b" and model.output_shape == (None, 4)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernel)
    model.add(layers.Dense(5, name="b"))
    assert model(X).shape == (4, 5)
    for _ in range(2):
        model.pop()
    while model._mk_stack:
        model.pop()
    with pytest.raises(ValueError, match="no layers to pop"):
        model.pop()


@pytest.mark.parametrize(
    "bad, pattern",
    [
        (lambda: [layers.Dense(2, name="a"), layers.Dense(2, name="a")], "unique"),
        (lambda: [layers.Dense(2), layers.Input((3,))], "input"),
        (lambda: ["dense"], "keras.Layer"),
        (lambda: [np.tanh], "keras.Layer"),
    ],
)
def test_refused(bad, pattern):
    with pytest.raises(ValueError, match=pattern):
        keras.Sequential(bad())


def test_a_layer_of_two_arguments_is_refused():
    class Two(layers.Layer):
        def call(self, x, y):
            return x + y

    with pytest.raises(ValueError, match="y"):
        keras.Sequential([layers.Input((3,)), Two()])


def test_models_as_layers():
    inner = keras.Sequential([layers.Input((3,)), layers.Dense(4)], name="inner")
    model = keras.Sequential([inner, layers.Dense(2)])
    assert model.built and model.output_shape == (None, 2)
    assert [v.path for v in model.weights][0] == inner.weights[0].path
    np.testing.assert_array_equal(model(X), model.layers[1](inner(X)))


def test_layers_cannot_be_assigned():
    model = keras.Sequential([layers.Dense(2)])
    with pytest.raises(AttributeError, match="add"):
        model.layers = []


def test_config_round_trip_keeps_what_is_built():
    for model in (
        keras.Sequential([layers.Input((3,)), layers.Dense(2)], name="s"),
        keras.Sequential([layers.Dense(2)]),
    ):
        again = keras.Sequential.from_config(model.get_config())
        assert again.built == model.built and again.name == model.name
        assert again.get_config() == model.get_config()


def test_automatic_names():
    keras.utils.clear_session()
    first, second = (keras.Sequential([layers.Dense(2)]) for _ in range(2))
    assert (first.name, second.name) == ("sequential", "sequential_1")
    assert [m.layers[0].name for m in (first, second)] == ["dense", "dense_1"]
    first.build((None, 3))
    assert [w.path for w in first.weights] == [
        "sequential/dense/kernel",
        "sequential/dense/bias",
    ]


def test_a_frozen_model_thaws_by_its_layers():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.trainable = False
    again = keras.Sequential.from_config(model.get_config())
    assert again.trainable_weights == []
    again.layers[0].trainable = True  # as in Keras, the model itself was never frozen
    assert len(again.trainable_weights) == 2

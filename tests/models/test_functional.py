"""Graphs: nests of inputs and outputs, sharing, cutting out, finding layers."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

rng = np.random.default_rng(8)
A = rng.normal(size=(4, 3)).astype("float32")
B = rng.normal(size=(4, 2)).astype("float32")


@pytest.fixture
def parts():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    dense = layers.Dense(2, name="dense")
    return a, b, dense(a) - 2 * b, dense


def test_nests_of_inputs(parts):
    a, b, out, dense = parts
    expected = np.asarray(dense(A)) - 2 * B
    for nest, given in (
        ([a, b], [A, B]),
        ((a, b), (A, B)),
        ({"a": a, "b": b}, {"a": A, "b": B}),
        ({"x": [a], "y": (b,)}, {"x": [A], "y": (B,)}),
    ):
        model = keras.Model(nest, out)
        np.testing.assert_allclose(model(given), expected, rtol=1e-6)
        np.testing.assert_allclose(
            model.predict(given, verbose=0), expected, rtol=1e-5, atol=1e-6
        )
    model = keras.Model([a, b], out)
    np.testing.assert_allclose(model({"b": B, "a": A}), expected, rtol=1e-6)


def test_nests_of_outputs(parts):
    a, b, out, dense = parts
    for nest in (out, [out, a], {"p": out, "q": [a, b]}):
        given = keras.Model([a, b], nest)([A, B])
        shapes = keras.tree.map_structure(lambda x: x.shape, given)
        assert shapes == keras.tree.map_structure(lambda x: (4, *x.shape[1:]), nest)


def test_a_list_of_one_output(parts):
    a, b, out, _ = parts
    plain = keras.Model([a, b], out)
    for nest in ([out], (out,)):
        model = keras.Model([a, b], nest)
        for found in (
            model([A, B]),
            model.predict([A, B], verbose=0),
            model.predict_on_batch([A, B]),
            keras.Sequential([model])([A, B]),
        ):
            np.testing.assert_allclose(found, plain([A, B]), rtol=1e-6)
        # Graphs keep the nesting, also for other sizes.
        for batch in (None, 4):
            inputs = [keras.Input(batch_shape=(batch, *x.shape[1:])) for x in (a, b)]
            assert [x.shape for x in model(inputs)] == [(batch, 2)]
        assert [x.shape for x in model.output] == [(None, 2)]
        model.compile("sgd", "mse")
        y = np.ones((4, 2), "float32")
        assert model.evaluate([A, B], [y], verbose=0) == model.evaluate(
            [A, B], y, verbose=0
        )


def test_wrong_inputs_are_named(parts):
    a, b, out, _ = parts
    model = keras.Model({"a": a, "b": b}, out)
    with pytest.raises(ValueError, match=r"\['a', 'b'\]"):
        model(A)
    with pytest.raises(ValueError, match="2"):
        keras.Model([a, b], out)([A])
    with pytest.raises(ValueError, match="incompatible|expected"):
        keras.Model([a, b], out)([B, A])


@pytest.mark.parametrize("nest", ["list", "dict", "single"])
@pytest.mark.parametrize("names", ["AB", "zb", "ac", "foo"])
def test_a_name_that_is_no_inputs(nest, names):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = {
        "list": lambda: keras.Model([a, b], a - b),
        "dict": lambda: keras.Model({"a": a, "b": b}, a - b),
        "single": lambda: keras.Model(a, 2 * a),
    }[nest]()
    inputs = {name: A for name in (names if len(names) == 2 else [names])}
    if nest == "single" and "a" in inputs:
        return
    for call in (model.predict_on_batch, model, lambda x: model.predict(x, verbose=0)):
        with pytest.raises(ValueError, match="missing from"):
            call(inputs)


def test_a_shared_layer_has_one_set_of_weights():
    a, b = keras.Input((3,)), keras.Input((3,))
    dense = layers.Dense(2)
    model = keras.Model([a, b], layers.Subtract()([dense(a), dense(b)]))
    assert len(model.weights) == 2
    np.testing.assert_allclose(model([A, A]), np.zeros((4, 2)))


def test_nested_models_and_their_weights_in_order():
    inner = keras.Sequential([layers.Input((3,)), layers.Dense(4)], name="inner")
    x = keras.Input((3,))
    first = layers.Dense(3, name="first")
    model = keras.Model(x, layers.Dense(1, name="last")(inner(first(x))))
    owners = [v.path.split("/")[-2] for v in model.weights[::2]]
    assert owners == ["first", inner.layers[0].name, "last"]
    shapes = [w.shape for w in model.get_weights()]
    assert shapes == [(3, 3), (3,), (3, 4), (4,), (4, 1), (1,)]
    model.set_weights([np.full(s, i, "float32") for i, s in enumerate(shapes)])
    assert float(inner.get_weights()[0][0, 0]) == 2.0


def test_cutting_out_a_sub_model(parts):
    a, b, out, dense = parts
    hidden = layers.Dense(4, activation="relu", name="hidden")(out)
    model = keras.Model([a, b], layers.Dense(1, name="top")(hidden))
    features = keras.Model(model.inputs, model.get_layer("hidden").output)
    tail = keras.Model(model.get_layer("top").input, model.output)
    np.testing.assert_allclose(tail(features([A, B])), model([A, B]), rtol=1e-6)
    assert features.get_layer("dense") is dense
    assert len(tail.weights) == 2


def test_get_layer(parts):
    a, b, out, dense = parts
    model = keras.Model([a, b], out)
    assert model.get_layer("dense") is dense
    assert model.get_layer(index=0) is model.layers[0]
    with pytest.raises(ValueError, match="denze.*Did you mean.*dense"):
        model.get_layer("denze")
    with pytest.raises(ValueError, match="9"):
        model.get_layer(index=9)
    with pytest.raises(ValueError, match="either"):
        model.get_layer()


def test_refused(parts):
    a, b, out, _ = parts
    with pytest.raises(ValueError, match="not connected"):
        keras.Model(a, out)
    with pytest.raises(ValueError, match="KerasTensor"):
        keras.Model(A, out)
    with pytest.raises(ValueError, match="unique"):
        keras.Model(a, layers.Dense(2, name="n")(layers.Dense(2, name="n")(a)))
    with pytest.raises(AttributeError, match="layers"):
        keras.Model(a, layers.Dense(2)(a)).layers = []


def test_config_round_trip(parts):
    a, b, out, _ = parts
    model = keras.Model({"a": a, "b": b}, {"p": out, "q": layers.Add()([out, b])})
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    for key, value in model({"a": A, "b": B}).items():
        np.testing.assert_array_equal(again({"a": A, "b": B})[key], value)
    assert again.get_config() == model.get_config()


def test_a_functional_subclass(parts):
    a, b, out, _ = parts

    class Own(keras.Model):
        def extra(self):
            return 7

    model = Own([a, b], out)
    assert model.extra() == 7 and len(model.layers) > 2
    assert model([A, B]).shape == (4, 2)


def test_a_subclass_with_arguments_of_its_own_comes_back(parts):
    class Own(keras.Model):
        def __init__(self, *args, rate=1, **kwargs):
            super().__init__(*args, **kwargs)
            self.rate = rate

        def get_config(self):
            return {**super().get_config(), "rate": self.rate}

    a, b, out, _ = parts
    model = Own([a, b], out, rate=3)
    again = Own.from_config(model.get_config())
    assert again.rate == 3
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again([A, B]), model([A, B]))


def test_a_functional_model_is_a_function_and_lists_its_shapes():
    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, {"y": layers.concatenate([a, b])})
    assert isinstance(model, keras.Function)
    assert model.input_shape == [(None, 2), (None, 3)]
    assert model.output_shape == (None, 5)
    shapes = {"a": (7, 2), "b": (7, 3)}
    assert model.compute_output_shape(shapes) == {"y": (7, 5)}


def test_calls_of_a_layer_keep_their_order():
    a, dense = keras.Input((3,), name="a"), layers.Dense(3, "tanh")
    first = dense(layers.Activation("relu")(a))  # waits for a layer listed later
    second = dense(layers.Activation("sigmoid")(dense(a)))
    model = keras.Model(a, layers.Subtract()([second, first]))
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(A), model(A))


def test_nests_keep_the_order_of_their_keys():
    b, a = keras.Input((3,), name="b"), keras.Input((2,), name="a")
    out = layers.Dense(2)(layers.Concatenate()([a, b]))
    model = keras.Model(
        {"b": b, "a": a}, {"z": out, "y": layers.Activation("relu")(out)}
    )
    config = model.get_config()
    assert list(config["input_layers"]) == ["b", "a"]
    again = keras.Model.from_config(config)
    assert list(again({"b": A, "a": B})) == list(model({"b": A, "a": B})) == ["z", "y"]
    assert list(again.input) == ["b", "a"]


def test_graphs_whose_outputs_are_those_of_graphs():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, "tanh")])
    graph = keras.Model(inner.input, inner.output, name="graph")
    a = keras.Input((3,), name="a")
    once, scaled = graph(a), graph(layers.Rescaling(10.0)(a))
    chain = graph(once)
    for outputs, ends in (
        (once, ["graph", 1, 0]),
        ([scaled, once], [["graph", 2, 0], ["graph", 1, 0]]),
        ([once, chain], [["graph", 1, 0], ["graph", 2, 0]]),
        (chain, ["graph", 2, 0]),  # as in Keras, its own graph is call 0
        (inner(a), ["sequential", 0, 0]),
    ):
        model = keras.Model(a, outputs)
        config = model.get_config()
        ends = [inner.name if x == "sequential" else x for x in ends]
        assert config["output_layers"] == ends
        again = keras.Model.from_config(config)
        again.set_weights(model.get_weights())
        keras.tree.map_structure(np.testing.assert_array_equal, again(A), model(A))

"""clone_model on every kind of model; copies."""

import copy
import pickle
import threading

import numpy as np
import pytest

from minikeras import Input, Model, Sequential, layers, metrics, ops, optimizers
from minikeras.models import clone_model

X = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")


def shared():
    """A graph with a layer used twice, a nested model, and ops."""
    inputs = Input((3,), name="first")
    layer = layers.Dense(3, name="shared")
    inner = Sequential([layers.Input((3,)), layers.Dense(2, name="deep")], name="inner")
    hidden = ops.tanh(layer(layer(inputs))) * 2.0
    return Model({"x": inputs}, [inner(hidden), hidden[:, :1]], name="outer")


def same_outputs(model, clone, x=X):
    clone.set_weights(model.get_weights())
    x = {"x": x} if isinstance(model.input, dict) else x
    for a, b in zip(model(x), clone(x), strict=True):
        np.testing.assert_array_equal(a, b)


def test_functional():
    model = shared()
    clone = clone_model(model)
    assert clone.name == model.name
    assert [layer.name for layer in clone.layers] == [x.name for x in model.layers]
    assert not set(map(id, clone.layers)) & set(map(id, model.layers))
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    assert list(clone.input) == ["x"]
    same_outputs(model, clone)


def test_given_inputs():
    model = shared()
    given = Input((3,), name="given")
    assert clone_model(model, {"x": given}).input["x"] is given
    clone = clone_model(model, {"x": layers.Dense(3)(given)})
    assert clone.layers[0].name.endswith("CLONE")
    same_outputs(model, clone)


def test_clone_function_may_share_layers():
    model = shared()
    clone = clone_model(model, clone_function=lambda layer: layer)
    assert clone.layers[1:] == model.layers[1:]
    assert clone.weights == model.weights


def test_call_function_puts_layers_around_others():
    def noisy(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        is_dense = isinstance(layer, layers.Dense)
        return layers.Dropout(0.5)(outputs) if is_dense else outputs

    def count(model):
        found = model._mk_flatten_layers()
        return sum(isinstance(x, layers.Dropout) for x in found)

    inputs = Input((3,))
    inner = Model(inputs, layers.Dense(3)(inputs))
    model = Model(inputs, layers.Dense(3)(inner(inputs)))
    assert count(clone_model(model, call_function=noisy)) == 1
    clone = clone_model(model, call_function=noisy, recursive=True)
    assert count(clone) == 2
    same_outputs(model, clone)


def test_recursive_clones_the_layers_of_nested_models():
    seen = []

    def watched(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    clone_model(shared(), clone_function=watched)
    assert seen == ["shared", "inner"]
    seen.clear()
    same_outputs(shared(), clone_model(shared(), None, watched, recursive=True))
    assert seen == ["shared", "deep"]


def test_sequential():
    model = Sequential([layers.Input((3,)), layers.Dense(2), layers.Dense(1)], name="s")
    clone = clone_model(model)
    assert (type(clone), clone.name, clone.built) == (Sequential, "s", True)
    same_outputs(model, clone)
    given = Input((3,))
    assert clone_model(model, given).inputs[0] is given
    assert clone_model(model, [layers.Dense(3)(given)]).built
    assert not clone_model(Sequential([layers.Dense(2)])).built


def test_subclass_is_made_from_its_config():
    class Net(Model):
        def __init__(self, units=2, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.dense = layers.Dense(units)

        def call(self, x):
            return self.dense(x)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    clone = clone_model(Net(5))
    assert (type(clone), clone(X).shape) == (Net, (2, 5))


def test_compiled_models_stay_compiled():
    model = Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("adam", "mse")
    clone = clone_model(model)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    clone.fit(X, X[:, :1], verbose=0)


def sequential():
    return Sequential([layers.Input((3,)), layers.Dense(1)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: clone_model(shared(), Input((3,))), "must have the same structure"),
        (lambda: clone_model(shared(), {"x": X}), "must be KerasTensors"),
        (lambda: clone_model(sequential(), [Input((3,))] * 2), "single tensor"),
        (lambda: clone_model(sequential(), X), "single tensor"),
        (lambda: clone_model(sequential(), call_function=print), "call_function"),
        (lambda: clone_model(Model(), clone_function=print), "clone_function"),
        (lambda: clone_model(shared(), layers=3), "layers"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_copy_has_variables_of_its_own():
    model = Sequential([Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    optimizer = optimizers.Adam()
    optimizer.build(model.trainable_variables)
    for mine in (model, model.layers[0], metrics.Mean(), optimizer):
        other = copy.copy(mine)
        assert type(other) is type(mine) and other.variables
        assert not {*map(id, mine.variables)} & {*map(id, other.variables)}
    before = model.predict(X, verbose=0)
    copy.copy(model).fit(X, X[:, :2], verbose=0)
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)


@pytest.mark.parametrize("take", [copy.deepcopy, pickle.dumps])
def test_a_model_is_taken_while_another_thread_adds_to_it(take):
    """As a first use does."""
    model = Sequential([layers.Input((3,)), layers.Dense(2)])
    layer, stop = model.layers[0], threading.Event()

    def add():
        while not stop.is_set():
            for i in range(100):
                vars(layer)[f"_mk_{i}"] = i
            for i in range(100):
                del vars(layer)[f"_mk_{i}"]

    thread = threading.Thread(target=add)
    thread.start()
    try:
        for _ in range(50):
            take(model)
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("kind", ["graph", "sequential"])
def test_deep_models_are_copied_and_pickled(kind):
    """Deeper than Python recurses, from layer to layer."""
    inputs = layers.Input((3,))
    if kind == "graph":
        x = inputs
        for _ in range(200):
            x = layers.Add()([x, layers.Dense(3)(x)])
        model = Model(inputs, x)
    else:
        dense = [layers.Dense(3) for _ in range(400)]
        model = Sequential([inputs, *dense])
    data = np.ones((1, 3), "float32")
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        names = [x.name for x in model.layers]
        assert [x.name for x in twin.layers] == names
        np.testing.assert_array_equal(twin(data), model(data))
        followers = [len(x._outbound_nodes) for x in model.layers]
        assert [len(x._outbound_nodes) for x in twin.layers] == followers
        assert twin.layers[1] is not model.layers[1]

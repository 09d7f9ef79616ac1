"""Layers are watched while they run, and stay as they are."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.core.bridge import isolated
from minikeras.visualization import layer_calls


def names(calls):
    return [(call.layer.name, call.number) for call in calls]


@pytest.mark.parametrize("mode", [None, "full"])
def test_calls_are_recorded_in_their_order(mode):
    with keras.RematScope(mode):
        x = keras.Input((3,), name="x")
        shared = layers.Dense(3, name="shared")
        inner = keras.Sequential([layers.ReLU(name="relu"), shared], name="inner")
        model = keras.Model(x, inner(shared(x)), name="outer")
    batch = np.ones((2, 3), "float32")
    outputs, calls = layer_calls.recorded(model, batch)
    np.testing.assert_allclose(outputs, model(batch), rtol=1e-6)
    assert names(calls) == [
        ("shared", 0), ("relu", 0), ("shared", 1), ("inner", 0), ("outer", 0)
    ]  # fmt: skip
    assert calls[-1].outputs is outputs
    np.testing.assert_allclose(calls[1].outputs, np.maximum(calls[0].outputs, 0))
    np.testing.assert_array_equal(calls[0].inputs, batch)


def test_calls_within_loops_are_left_out():
    cell = layers.StackedRNNCells([layers.GRUCell(2, name="cell")])
    model = keras.Sequential([keras.Input((4, 2)), layers.RNN(cell, name="rnn")])
    _, calls = layer_calls.recorded(model, np.ones((1, 4, 2)))
    assert "rnn" in dict(names(calls)) and "cell" not in dict(names(calls))


def test_a_watcher_may_give_other_outputs_and_only_here():
    model = keras.Sequential([keras.Input((3,)), layers.ReLU(name="relu")])
    x = -np.ones((1, 3), "float32")

    def watch(layer, call, *args, **kwargs):
        return args[0] * 2 if layer.name == "relu" else call(*args, **kwargs)

    with isolated(on_call=watch):
        assert model(x).tolist() == [[-2.0] * 3]
    assert model(x).tolist() == [[0.0] * 3]


def test_predictions_in_batches():
    x = {"a": np.arange(5.0)[:, None]}
    inputs = {"a": keras.Input((1,), name="a")}
    model = keras.Model(inputs, {"double": inputs["a"] * 2})
    found = layer_calls.predicted(model, x, batch_size=2)
    assert found["double"].tolist() == [[0.0], [2.0], [4.0], [6.0], [8.0]]

"""What calls of models take, make and give."""

import numpy as np
import pytest

import minikeras as keras

X, STATE = np.ones((2, 5), "float32"), np.full((2, 3), 2.0, "float32")


class Step(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x, state, scale=1.0):
        return self.dense(x) * scale + state


@pytest.mark.parametrize("by_name", [False, True])
def test_they_build_from_all_their_arrays(by_name):
    model = Step()
    out = model(X, state=STATE) if by_name else model(X, STATE)
    assert model.built and [w.shape for w in model.weights] == [(5, 3), (3,)]
    assert model.get_build_config() == {"input_shape": (2, 5)}
    np.testing.assert_allclose(out, X @ model.dense.kernel.numpy() + 2, rtol=1e-6)


def test_in_a_graph():
    a, b = keras.Input((5,)), keras.Input((3,))
    model = keras.Model([a, b], Step()(a, b, scale=2.0))
    assert model.predict([X, STATE], verbose=0).shape == (2, 3)


def test_layers_of_a_growing_sequential_are_called_once():
    model = keras.Sequential([keras.Input((3,))])
    for units in (4, 5, 2):
        model.add(keras.layers.Dense(units))
    model.pop()
    model.add(keras.layers.Dense(6))
    assert [len(layer._inbound_nodes) for layer in model.layers] == [1, 1, 1]
    # So an inner output lies on the way to the last one: Grad-CAM.
    inner = keras.Model(model.inputs, [model.layers[0].output, model.output])
    with keras.GradientTape() as tape:
        hidden, out = inner(np.ones((2, 3), "float32"))
        total = keras.ops.sum(out)
    assert tape.gradient(total, hidden).shape == (2, 4)


def test_predictions_of_a_batch_can_be_changed():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    out = model.predict_on_batch(np.ones((2, 3)))
    out[:, 0] *= 2

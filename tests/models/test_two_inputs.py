"""Models whose `call` takes several arrays."""

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

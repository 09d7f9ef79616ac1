import warnings

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers


def softmax_warnings(run):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [str(w.message) for w in caught if "softmax" in str(w.message)]


@pytest.mark.parametrize(
    "last", [layers.Activation("softmax"), layers.Dense(1, activation="softmax")]
)
def test_once_for_a_layer(last):
    def run():
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1), last])
        model.compile("sgd", "mse")
        model.fit(np.ones((6, 4)), np.ones((6, 1)), batch_size=4, verbose=0)
        model.predict(np.ones((5, 4)), verbose=0)

    (text,) = softmax_warnings(run)
    assert last.name in text and "size 1" in text and "5040" not in text


def test_each_call_outside_a_layer():
    x = np.ones((3, 1), "float32")
    found = softmax_warnings(lambda: [keras.ops.softmax(x) for _ in range(2)])
    assert len(found) == 2 and "(3, 1)" in found[0]

import numpy as np
import pytest

import minikeras as keras
from minikeras.training.compile_loss import CompileLoss


@pytest.mark.parametrize(
    "wrong", [["accuracy"], "accuracy", [keras.metrics.MeanSquaredError()], [len]]
)
def test_metrics_in_the_place_of_loss_weights(wrong):
    model = keras.Sequential([keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="loss_weights: .* Metrics are the fourth"):
        model.compile("adam", "mse", wrong)


@pytest.mark.parametrize(
    "weights", [None, 0.5, 2, np.float32(1.0), [0.5, 1], {"a": 1.0, "b": np.ones(())}]
)
def test_numbers_are_weights(weights):
    CompileLoss("mse", weights)


def test_fewer_losses_than_outputs():
    inputs = keras.Input((3,))
    outputs = [keras.layers.Dense(n)(inputs) for n in (1, 2)]
    model = keras.Model(inputs, outputs)
    model.compile("sgd", ["mse"])
    targets = [np.ones((4, 1)), np.ones((4, 2))]
    with pytest.raises(ValueError, match="2 outputs, but 1 losses .*None for none"):
        model.evaluate(np.ones((4, 3)), targets, verbose=0)
    model.compile("sgd", ["mse", None])
    model.evaluate(np.ones((4, 3)), targets, verbose=0)

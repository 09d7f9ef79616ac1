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

"""(n,) targets beside (n, 1) outputs, and the reverse, are (n, 1) twice."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, metrics

Y = np.array([0.0, 1, 1, 0, 1, 0], "float32")
P = np.array([0.2, 0.7, 0.4, 0.6, 0.9, 0.1], "float32")
WEIGHTS = np.array([1.0, 2, 1, 3, 1, 2], "float32")
MAKERS = {
    "R2Score": metrics.R2Score,
    "BinaryIoU": lambda: metrics.BinaryIoU(dtype="float32"),
    "IoU": lambda: metrics.IoU(2, [0, 1], dtype="float32"),
    "MeanIoU": lambda: metrics.MeanIoU(2, dtype="float32"),
    "MeanSquaredError": metrics.MeanSquaredError,
    "BinaryAccuracy": metrics.BinaryAccuracy,
    "Precision": metrics.Precision,
    "AUC": metrics.AUC,
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_both_ways(make, weights):
    expected = make()(Y[:, None], P[:, None], weights)
    np.testing.assert_allclose(make()(Y, P[:, None], weights), expected, rtol=1e-6)
    np.testing.assert_allclose(make()(Y[:, None], P, weights), expected, rtol=1e-6)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_evaluate(make):
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    found = []
    for y in (Y, Y[:, None]):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), layers.Dense(1, "sigmoid")])
        model.compile("sgd", "mse", metrics=[make()])
        found.append(model.evaluate(x, y, verbose=0)[1])
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_other_shapes_are_no_labels_of_each_other():
    with pytest.raises(ValueError, match="as many labels"):
        metrics.IoU(2, [0])(np.zeros((2, 3)), np.zeros((3, 2)))


NAMES = ["categorical_accuracy", "top_k_categorical_accuracy"]


@pytest.mark.parametrize("name", NAMES)
def test_one_score_for_a_one_hot_row(name):
    one_hot = np.eye(3, dtype="float32")[[0, 2, 1, 0]]
    with pytest.raises(ValueError, match=r"shape \(4, 3\), y_pred \(4,\)"):
        getattr(metrics, name)(one_hot, Y[:4])
    assert getattr(metrics, name)(one_hot[0], one_hot[0]) == 1  # one sample


def test_the_best_k_of_one_score():
    with pytest.raises(ValueError, match=r"\(\.\.\., classes\)"):
        metrics.sparse_top_k_categorical_accuracy(Y, P)

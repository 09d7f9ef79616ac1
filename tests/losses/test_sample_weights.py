"""One weight a sample weighs samples, whatever the shape of the values."""

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, losses, metrics

Y = np.arange(1.0, 10.0, dtype="float32").reshape(3, 3, 1)
ZERO = np.zeros_like(Y)
WEIGHTS = np.array([1.0, 0.0, 2.0], "float32")


def sequence_model(**compiled):
    model = keras.Sequential([keras.Input((3, 1)), layers.Activation("linear")])
    model.compile("sgd", "mae", **compiled)
    return model


def expected():
    return np.mean(WEIGHTS[:, None] * Y[..., 0])


@pytest.mark.parametrize("weights", [WEIGHTS, WEIGHTS[:, None]], ids=["n", "n1"])
def test_a_sequence_as_long_as_the_batch(weights):
    loss = jax.jit(losses.MeanAbsoluteError())
    np.testing.assert_allclose(loss(ZERO, Y, weights), expected(), rtol=1e-6)


def test_a_sequence_of_another_length():
    loss = losses.MeanAbsoluteError()(ZERO[:, :2], Y[:, :2], WEIGHTS)
    np.testing.assert_allclose(loss, np.mean(WEIGHTS[:, None] * Y[:, :2, 0]), rtol=1e-6)


def test_one_weight_a_time_step():
    weights = np.arange(9.0, dtype="float32").reshape(3, 3)
    loss = losses.MeanAbsoluteError()(ZERO, Y, weights)
    np.testing.assert_allclose(loss, np.mean(weights * Y[..., 0]), rtol=1e-6)


def test_mean_over_the_weights():
    loss = losses.MeanAbsoluteError(reduction="mean_with_sample_weight")
    found = loss(ZERO, Y, WEIGHTS)
    np.testing.assert_allclose(found, expected() * 9 / (3 * WEIGHTS.sum()), rtol=1e-6)


def test_weights_and_mask():
    values, mask = Y[..., 0], np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0]], bool)
    found = losses.loss.weighted_loss(values, WEIGHTS, mask, "sum", "float32")
    np.testing.assert_allclose(found, np.sum(WEIGHTS[:, None] * mask * values))


def test_evaluate_weighs_samples():
    model = sequence_model(weighted_metrics=["mae"])
    loss, mae = model.evaluate(Y, ZERO, sample_weight=WEIGHTS, verbose=0)
    np.testing.assert_allclose(loss, expected(), rtol=1e-6)
    rows = Y[..., 0].mean(axis=1)
    np.testing.assert_allclose(mae, np.average(rows, weights=WEIGHTS), rtol=1e-6)


def test_class_weight_weighs_samples():
    model = sequence_model()
    labels = np.array([[0.0], [1.0], [2.0]], "float32")
    found = model.train_on_batch(Y, labels, class_weight={0: 1.0, 1: 0.0, 2: 2.0})
    values = np.abs(Y[..., 0] - labels)
    np.testing.assert_allclose(found, np.mean(WEIGHTS[:, None] * values), rtol=1e-6)


def test_intersection_over_union():
    y = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 1]])
    iou = metrics.BinaryIoU(dtype="float32")
    whole = np.broadcast_to(WEIGHTS[:, None], (3, 3))
    np.testing.assert_array_equal(
        iou(y, y.T, WEIGHTS), metrics.BinaryIoU(dtype="float32")(y, y.T, whole)
    )

"""What every metric promises, for every class."""

import inspect
import json

import jax
import numpy as np
import pytest

from minikeras import metrics

RNG = np.random.default_rng(0)
SCORES = RNG.uniform(0.05, 0.95, size=(6, 3)).astype("float32")
LABELS = np.array([2, 0, 1, 1, 0, 2])
FOUND = np.array([2, 1, 1, 0, 0, 2])
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
NUMBERS = RNG.uniform(0.1, 1, size=(6, 3)).astype("float32")
BITS = (NUMBERS > 0.5).astype("float32")

CLASSES = {"num_classes": 3}
TARGETS = {**CLASSES, "target_class_ids": [0, 2]}
# (class, arguments, arrays for `update_state`)
ROWS = [
    ("AUC", {}, (BITS, SCORES)),
    ("AUC", {"multi_label": True}, (BITS, SCORES)),
    ("Accuracy", {}, (LABELS, FOUND)),
    ("BinaryAccuracy", {"threshold": 0.4}, (BITS, SCORES)),
    ("BinaryCrossentropy", {}, (BITS, SCORES)),
    ("BinaryIoU", {}, (BITS[:, 0], SCORES[:, 0])),
    ("CategoricalAccuracy", {}, (ONE_HOT, SCORES)),
    ("CategoricalCrossentropy", {}, (ONE_HOT, SCORES)),
    ("CategoricalHinge", {}, (ONE_HOT, SCORES)),
    ("ConcordanceCorrelation", {}, (NUMBERS, SCORES)),
    ("CosineSimilarity", {"axis": 0}, (NUMBERS, SCORES)),
    ("F1Score", {}, (ONE_HOT, SCORES)),
    ("FBetaScore", {"beta": 2.0, "average": "macro"}, (ONE_HOT, SCORES)),
    ("FalseNegatives", {}, (BITS, SCORES)),
    ("FalsePositives", {}, (BITS, SCORES)),
    ("Hinge", {}, (BITS, SCORES)),
    ("IoU", TARGETS, (LABELS, FOUND)),
    ("KLDivergence", {}, (NUMBERS, SCORES)),
    ("LogCoshError", {}, (NUMBERS, SCORES)),
    ("Mean", {}, (NUMBERS,)),
    ("MeanAbsoluteError", {}, (NUMBERS, SCORES)),
    ("MeanAbsolutePercentageError", {}, (NUMBERS, SCORES)),
    ("MeanIoU", CLASSES, (LABELS, FOUND)),
    ("MeanMetricWrapper", {"fn": metrics.huber}, (NUMBERS, SCORES)),
    ("MeanSquaredError", {}, (NUMBERS, SCORES)),
    ("MeanSquaredLogarithmicError", {}, (NUMBERS, SCORES)),
    ("OneHotIoU", TARGETS, (ONE_HOT, SCORES)),
    ("OneHotMeanIoU", CLASSES, (ONE_HOT, SCORES)),
    ("PearsonCorrelation", {}, (NUMBERS, SCORES)),
    ("Poisson", {}, (NUMBERS, SCORES)),
    ("Precision", {"thresholds": [0.3, 0.6]}, (BITS, SCORES)),
    ("PrecisionAtRecall", {"recall": 0.5}, (BITS, SCORES)),
    ("R2Score", {}, (NUMBERS, SCORES)),
    ("Recall", {}, (BITS, SCORES)),
    ("RecallAtPrecision", {"precision": 0.5}, (BITS, SCORES)),
    ("RootMeanSquaredError", {}, (NUMBERS, SCORES)),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, (BITS, SCORES)),
    ("SparseCategoricalAccuracy", {}, (LABELS, SCORES)),
    ("SparseCategoricalCrossentropy", {}, (LABELS, SCORES)),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, (LABELS, SCORES)),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5}, (BITS, SCORES)),
    ("SquaredHinge", {}, (BITS, SCORES)),
    ("Sum", {}, (NUMBERS,)),
    ("TopKCategoricalAccuracy", {"k": 2}, (ONE_HOT, SCORES)),
    ("TrueNegatives", {}, (BITS, SCORES)),
    ("TruePositives", {}, (BITS, SCORES)),
]
_each = pytest.mark.parametrize(("name", "settings", "arrays"), ROWS)


def test_table_covers_every_metric():
    public = {n for n in metrics.__all__ if inspect.isclass(getattr(metrics, n))}
    assert public - {"Metric"} == {name for name, _, _ in ROWS}


@_each
def test_config_round_trip(name, settings, arrays):
    metric = getattr(metrics, name)(**settings, name="one")
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert again.get_config() == metric.get_config()
    np.testing.assert_array_equal(again(*arrays), metric(*arrays))


@_each
def test_jit_equals_eager_and_reset_forgets(name, settings, arrays):
    metric = getattr(metrics, name)(**settings)
    metric.update_state(*arrays)
    metric.reset_state()
    fresh = metric.stateless_reset_state()
    assert not any(np.any(value) for value in fresh)
    values = jax.jit(metric.stateless_update_state)(fresh, *arrays)
    want = metric(*arrays)
    np.testing.assert_allclose(jax.jit(metric.stateless_result)(values), want, 1e-5)


@_each
def test_two_batches_say_what_one_says(name, settings, arrays):
    whole = getattr(metrics, name)(**settings)(*arrays)
    parts = getattr(metrics, name)(**settings)
    if settings.get("axis") == 0:
        pytest.skip("its values are not those of samples")
    for rows in (slice(0, 1), slice(1, 6)):
        parts.update_state(*(a[rows] for a in arrays))
    np.testing.assert_allclose(parts.result(), whole, rtol=1e-5, atol=1e-6)

"""Metrics against Keras: results over batches, names of variables, configs."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import inspect

import jax
import keras
import numpy as np
import pytest

import minikeras

RNG = np.random.default_rng(0)
BATCHES, N, CLASSES = 3, 6, 4
SCORES = RNG.uniform(0.01, 1, size=(BATCHES, N, CLASSES)).astype("float32")
LABELS = RNG.integers(0, CLASSES, size=(BATCHES, N))
ONE_HOT = np.eye(CLASSES, dtype="float32")[LABELS]
BITS = (RNG.uniform(size=SCORES.shape) > 0.5).astype("float32")
NUMBERS = RNG.uniform(0, 1, size=SCORES.shape).astype("float32")
WEIGHTS = RNG.uniform(size=(BATCHES, N)).astype("float32")
FOUND = RNG.integers(0, CLASSES, size=(BATCHES, N))

CASES = [
    ("Accuracy", LABELS, FOUND, {}),
    ("BinaryAccuracy", BITS, SCORES, {"threshold": 0.3}),
    ("CategoricalAccuracy", ONE_HOT, SCORES, {}),
    ("SparseCategoricalAccuracy", LABELS, SCORES, {}),
    ("SparseCategoricalAccuracy", LABELS[..., None], SCORES, {}),
    ("TopKCategoricalAccuracy", ONE_HOT, SCORES, {"k": 2}),
    ("SparseTopKCategoricalAccuracy", LABELS, SCORES, {"k": 2}),
    ("MeanSquaredError", NUMBERS, SCORES, {}),
    ("RootMeanSquaredError", NUMBERS, SCORES, {}),
    ("MeanAbsoluteError", NUMBERS, SCORES, {}),
    ("MeanAbsolutePercentageError", NUMBERS, SCORES, {}),
    ("MeanSquaredLogarithmicError", NUMBERS, SCORES, {}),
    ("LogCoshError", NUMBERS, SCORES, {}),
    ("CosineSimilarity", NUMBERS, SCORES, {}),
    ("BinaryCrossentropy", BITS, SCORES, {"label_smoothing": 0.1}),
    ("CategoricalCrossentropy", ONE_HOT, SCORES, {"from_logits": True}),
    ("SparseCategoricalCrossentropy", LABELS, SCORES, {}),
    ("SparseCategoricalCrossentropy", LABELS, SCORES, {"ignore_class": 2}),
    ("KLDivergence", NUMBERS, SCORES, {}),
    ("Poisson", NUMBERS, SCORES, {}),
    ("Hinge", BITS, SCORES, {}),
    ("SquaredHinge", BITS, SCORES, {}),
    ("CategoricalHinge", ONE_HOT, SCORES, {}),
    ("Precision", BITS, SCORES, {}),
    ("Precision", BITS, SCORES, {"thresholds": [0.7, 0.2, 0.5]}),
    ("Precision", BITS, SCORES, {"top_k": 2}),
    ("Recall", BITS, SCORES, {"class_id": 1, "thresholds": 0.4}),
    ("TruePositives", BITS, SCORES, {"thresholds": [0.3, 0.6]}),
    ("FalsePositives", BITS, SCORES, {}),
    ("TrueNegatives", BITS, SCORES, {}),
    ("FalseNegatives", BITS, SCORES, {"thresholds": 0.2}),
    ("AUC", BITS, SCORES, {}),
    ("AUC", BITS, SCORES, {"curve": "PR"}),
    ("AUC", BITS, SCORES, {"curve": "PRGAIN", "num_thresholds": 20}),
    ("AUC", BITS, SCORES, {"curve": "PR", "summation_method": "majoring"}),
    ("AUC", BITS, SCORES, {"thresholds": [0.6, 0.3], "summation_method": "minoring"}),
    ("AUC", BITS, SCORES, {"multi_label": True, "num_labels": CLASSES}),
    ("AUC", BITS, SCORES, {"label_weights": [0.1, 0.9, 0.4, 0.3]}),
    ("AUC", BITS, SCORES, {"from_logits": True, "num_thresholds": 30}),
    ("PrecisionAtRecall", BITS, SCORES, {"recall": 0.6}),
    ("RecallAtPrecision", BITS, SCORES, {"precision": 0.6}),
    ("SensitivityAtSpecificity", BITS, SCORES, {"specificity": 0.5}),
    ("SpecificityAtSensitivity", BITS, SCORES, {"sensitivity": 0.5, "class_id": 2}),
    ("F1Score", ONE_HOT, SCORES, {}),
    ("F1Score", BITS, SCORES, {"average": "weighted", "threshold": 0.4}),
    ("FBetaScore", BITS, SCORES, {"average": "micro", "threshold": 0.4, "beta": 2.0}),
    ("R2Score", NUMBERS, SCORES, {}),
    ("R2Score", NUMBERS, SCORES, {"class_aggregation": "variance_weighted_average"}),
    ("R2Score", NUMBERS, SCORES, {"class_aggregation": None, "num_regressors": 2}),
    ("PearsonCorrelation", NUMBERS, SCORES, {}),
    ("ConcordanceCorrelation", NUMBERS, SCORES, {}),
    ("IoU", LABELS, FOUND, {"num_classes": CLASSES, "target_class_ids": [0, 2]}),
    ("MeanIoU", LABELS, FOUND, {"num_classes": CLASSES, "ignore_class": 1}),
    ("BinaryIoU", BITS[..., 0], SCORES[..., 0], {"threshold": 0.4}),
    ("OneHotMeanIoU", ONE_HOT, SCORES, {"num_classes": CLASSES, "dtype": "float32"}),
]


def run(package, name, y_true, y_pred, settings, weighted):
    metric = getattr(package.metrics, name)(**settings, name="m")
    for i in range(BATCHES):
        metric.update_state(
            y_true[i], y_pred[i], sample_weight=WEIGHTS[i] if weighted else None
        )
    return metric


@pytest.mark.filterwarnings("ignore:.*casting")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "y_true", "y_pred", "settings"), CASES)
def test_result(name, y_true, y_pred, settings, weighted):
    args = (name, y_true, y_pred, settings, weighted)
    ours, theirs = run(minikeras, *args), run(keras, *args)
    assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
    assert [v.dtype for v in ours.variables] == [v.dtype for v in theirs.variables]
    assert ours._direction == getattr(theirs, "_direction", None)
    got, want = ours.result(), theirs.result()
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)
    ours.reset_state()
    assert not any(np.any(v.numpy()) for v in ours.variables)


@pytest.mark.parametrize(("name", "y_true", "y_pred", "settings"), CASES[::4])
def test_stateless_update_under_jit(name, y_true, y_pred, settings):
    metric = run(minikeras, name, y_true, y_pred, settings, True)
    want = np.asarray(metric.result())
    values = metric.stateless_reset_state()
    update = jax.jit(metric.stateless_update_state)
    for i in range(BATCHES):
        values = update(values, y_true[i], y_pred[i], sample_weight=WEIGHTS[i])
    np.testing.assert_allclose(metric.stateless_result(values), want, rtol=1e-6)


NAMES = sorted(
    name
    for name in minikeras.metrics.__all__
    if inspect.isclass(getattr(minikeras.metrics, name))
)
REQUIRED = {name: settings for name, _, _, settings in CASES}


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_config(name):
    ours, theirs = (getattr(p.metrics, name) for p in (minikeras, keras))
    assert inspect.signature(ours) == inspect.signature(theirs)
    if name in REQUIRED:
        settings = REQUIRED[name]
        ours, theirs = (
            p.metrics.serialize(cls(**settings, name="n"))
            for p, cls in ((minikeras, ours), (keras, theirs))
        )
        assert ours == theirs
        again = minikeras.metrics.deserialize(theirs)
        assert again.get_config() == theirs["config"]


@pytest.mark.parametrize(
    ("values", "weights"),
    [
        ((2, 3), (2,)),
        ((2, 3), (2, 1)),
        ((2, 3), (1, 3)),
        ((2, 3), ()),
        ((2, 3, 4), (2, 3)),
        ((2, 3, 4), (2, 3, 1)),
        ((3,), (3, 1)),
        ((), ()),
    ],
)
def test_mean_of_weighted_samples(values, weights):
    values, weights = RNG.normal(size=values), RNG.uniform(size=weights)
    for name in ("Mean", "Sum"):
        ours, theirs = (
            getattr(p.metrics, name)()(values, weights) for p in (minikeras, keras)
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)

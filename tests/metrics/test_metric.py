"""Metric: state, stateless use, subclassing, counts at thresholds."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from minikeras import metrics
from minikeras.core.bridge import set_mask
from minikeras.core.variable import Variable
from minikeras.metrics.auc import best_under_constraint
from minikeras.metrics.confusion import confusion_counts, count_below

Y_TRUE = np.array([0, 1, 1, 0, 1, 1])
Y_PRED = np.array([0.3, 0.9, 0.4, 0.7, 0.2, 0.5], "float32")
WEIGHTS = np.array([1.0, 0.5, 2.0, 4.0, 0.25, 3.0], "float32")


class Largest(metrics.Metric):
    def __init__(self, name="largest", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.best = self.add_weight(name="best", initializer="zeros")
        self.inner = [metrics.Mean(name="inner")]
        self.extra = {"seen": Variable(0.0, name="seen", trainable=False)}

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.best.assign(jnp.maximum(self.best.value, jnp.max(y_pred)))
        self.inner[0].update_state(y_pred)

    def result(self):
        return self.best.value


def test_subclass_tracks_what_it_holds():
    metric = Largest()
    paths = ["largest/best", "seen", "inner/total", "inner/count"]
    assert [v.path for v in metric.variables] == paths
    assert metric(Y_TRUE, Y_PRED) == np.float32(0.9)
    assert metric.inner[0].result() == pytest.approx(Y_PRED.mean())
    metric.reset_state()
    assert metric.result() == 0


def test_stateless_use_leaves_the_object_alone():
    metric = Largest()
    values = [v.value for v in metric.variables]
    new = jax.jit(metric.stateless_update_state)(values, Y_TRUE, Y_PRED)
    assert metric.stateless_result(new) == np.float32(0.9)
    assert metric.result() == 0
    with pytest.raises(ValueError, match="expected the 4 values"):
        metric.stateless_result(new[:2])


def test_forgotten_super_is_named():
    class Forgetful(metrics.Metric):
        def __init__(self):
            self.add_weight(name="x")

    with pytest.raises(RuntimeError, match=r"Forgetful.*super\(\).__init__"):
        Forgetful()


def test_missing_methods_are_named():
    metric = metrics.Metric(name="m")
    with pytest.raises(NotImplementedError, match="update_state"):
        metric.update_state()
    with pytest.raises(NotImplementedError, match="result"):
        metric.result()


def test_mask_of_predictions_drops_entries():
    y_pred = jnp.asarray(Y_PRED)[:, None]
    set_mask(y_pred, jnp.asarray(Y_PRED > 0.35))
    got = metrics.BinaryAccuracy()(Y_TRUE[:, None], y_pred)
    kept = Y_PRED > 0.35
    assert got == np.mean(((Y_PRED > 0.5) == Y_TRUE)[kept])


def test_accuracy_of_bools():
    metric = metrics.BinaryAccuracy()
    assert metric(Y_PRED > 0.5, Y_PRED > 0.5) == 1


def test_pickle_and_config():
    metric = metrics.TopKCategoricalAccuracy(k=2)
    again = pickle.loads(pickle.dumps(metric))
    assert again.get_config() == metric.get_config()
    wrapped = metrics.MeanMetricWrapper(metrics.binary_crossentropy, from_logits=True)
    again = metrics.deserialize(metrics.serialize(wrapped))
    assert again(Y_TRUE, Y_PRED) == wrapped(Y_TRUE, Y_PRED)


@pytest.mark.parametrize("thresholds", [[0.45], [0.8, 0.1, 0.45], list(Y_PRED[:4])])
def test_confusion_counts(thresholds):
    counts = jax.jit(lambda t, p, w: confusion_counts(t, p, thresholds, w))(
        jnp.asarray(Y_TRUE), Y_PRED, WEIGHTS
    )
    for i, threshold in enumerate(thresholds):
        above, positive = np.float32(threshold) < Y_PRED, Y_TRUE == 1
        for name, chosen in (
            ("true_positives", above & positive),
            ("false_positives", above & ~positive),
            ("true_negatives", ~above & ~positive),
            ("false_negatives", ~above & positive),
        ):
            assert counts[name][i] == pytest.approx(WEIGHTS[chosen].sum())


@pytest.mark.parametrize("count", [2, 3, 7, 200])
def test_even_limits_are_met_exactly(count):
    limits = np.array(metrics.AUC(num_thresholds=count).thresholds)
    scores = np.concatenate([limits, limits + 1e-6, limits - 1e-6, [-1, 2, np.nan]])
    scores = scores.astype("float32")
    got = count_below(jnp.asarray(scores), limits)
    expected = (np.float32(limits) < scores[:, None]).sum(1)
    np.testing.assert_array_equal(got, expected)


def test_area_under_a_gain_curve_may_dip_below_zero():
    metric = metrics.AUC(curve="PRGAIN", thresholds=[0.5])
    metric.update_state([1, 1, 1, 0, 0], [0.9, 0.1, 0.2, 0.8, 0.3])
    # At 0.5: 1 right, 1 wrong, 2 missed; 3 positives to 2 negatives.
    assert metric.result() == pytest.approx(0.5 * (1 - 1.5) + 0.0)


def test_weights_and_classes_that_do_not_fit_are_named():
    for metric in (metrics.MeanSquaredError(), metrics.AUC(), metrics.F1Score()):
        with pytest.raises(ValueError, match=r"sample_weight of shape \(5"):
            metric.update_state(np.ones((3, 2)), np.ones((3, 2)), np.ones(5))
    with pytest.raises(ValueError, match="class_id=5.*2 classes"):
        metrics.Precision(class_id=5).update_state(np.ones((3, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="num_labels=3.*multi_label"):
        metrics.AUC(num_labels=3)
    with pytest.raises(ValueError, match="each of the 2 labels, got 3"):
        metric = metrics.AUC(multi_label=True, label_weights=[1.0, 2.0, 3.0])
        metric.update_state(np.ones((3, 2)), np.ones((3, 2)))


def test_counts_of_half_width_metrics_are_exact():
    metric = metrics.TruePositives(dtype="float16")
    metric.update_state(np.ones(5000), np.ones(5000))
    assert metric.result() == 5000 and metric.accumulator.dtype == "float32"


def test_r2_without_variance_is_zero():
    metric = metrics.R2Score(class_aggregation=None)
    metric.update_state(np.array([[1.0, 1], [1, 2]]), np.array([[0.5, 1], [1, 2]]))
    assert metric.result().tolist() == [0.0, 1.0]


def test_nan_scores_are_not_above_any_threshold():
    scores = jnp.array([np.nan, 0.7])
    for thresholds in ([0.5], [0.2, 0.5]):
        counts = confusion_counts(jnp.ones(2), scores, thresholds)
        assert counts["true_positives"].tolist() == [1.0] * len(thresholds)


def test_best_under_constraint():
    values, constrained = jnp.array([0.9, 0.7, 0.5]), jnp.array([0.1, 0.6, 0.8])
    assert best_under_constraint(values, constrained, 0.5) == np.float32(0.7)
    assert best_under_constraint(values, constrained, 0.9) == 0


def test_thresholds_out_of_range_are_named():
    with pytest.raises(ValueError, match=r"\[1.5\]"):
        metrics.Recall(thresholds=[0.2, 1.5])


def test_unknown_name_suggests():
    with pytest.raises(ValueError, match="recall"):
        metrics.get("recal")


def test_r2_weighted_by_the_variances_of_the_columns():
    y, predicted = np.array([[0.0, 1], [2, 5]]), np.array([[1.0, 1], [2, 4]])
    metric = metrics.R2Score(class_aggregation="variance_weighted_average")
    residual, variance = ((y - predicted) ** 2).sum(0), ((y - y.mean(0)) ** 2).sum(0)
    expected = 1 - residual.sum() / variance.sum()
    np.testing.assert_allclose(metric(y, predicted), expected, rtol=1e-6)

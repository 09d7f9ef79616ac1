"""Loss: reductions, masks, weights, subclassing, names."""

import json

import jax
import numpy as np
import pytest

import minikeras
from minikeras import losses
from minikeras.core.bridge import set_mask

Y_TRUE = np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]], "float32")
Y_PRED = np.array([[0.2, 1.0], [2.5, -1.0], [0.7, 0.1]], "float32")
SQUARED = np.mean((Y_TRUE - Y_PRED) ** 2, axis=-1)
WEIGHTS = np.array([0.5, 2.0, 0.25], "float32")


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum_over_batch_size", np.sum(SQUARED * WEIGHTS) / 3),
        ("mean", np.sum(SQUARED * WEIGHTS) / 3),
        ("mean_with_sample_weight", np.sum(SQUARED * WEIGHTS) / np.sum(WEIGHTS)),
        ("sum", np.sum(SQUARED * WEIGHTS)),
        ("none", SQUARED * WEIGHTS),
        (None, SQUARED * WEIGHTS),
    ],
)
def test_reduction(reduction, expected):
    loss = losses.MeanSquaredError(reduction=reduction)
    np.testing.assert_allclose(jax.jit(loss)(Y_TRUE, Y_PRED, WEIGHTS), expected, 1e-6)


def test_unknown_reduction_names_the_known_ones():
    with pytest.raises(ValueError, match="'avg'.*sum_over_batch_size"):
        losses.MeanSquaredError(reduction="avg")


def test_masked_entries_leave_the_mean():
    @jax.jit
    def masked(y_pred, mask):
        set_mask(y_pred, mask)
        return losses.MeanSquaredError()(Y_TRUE, y_pred)

    mask = np.array([True, False, True])
    np.testing.assert_allclose(masked(Y_PRED, mask), SQUARED[mask].mean(), 1e-6)
    assert masked(Y_PRED, np.zeros(3, bool)) == 0


def test_zero_weights_give_zero_not_nan():
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert loss(Y_TRUE, Y_PRED, np.zeros(3)) == 0
    grad = jax.grad(lambda y: loss(Y_TRUE, y, np.zeros(3)))(Y_PRED)
    assert not np.any(np.asarray(grad))


def test_subclass_of_users():
    class Fourth(losses.Loss):
        def call(self, y_true, y_pred):
            return (y_true["a"] - y_pred["a"]) ** 4

    loss = Fourth(reduction="sum")
    got = loss({"a": Y_TRUE}, {"a": Y_PRED}, WEIGHTS[:, None])
    np.testing.assert_allclose(
        got, np.sum((Y_TRUE - Y_PRED) ** 4 * WEIGHTS[:, None]), 1e-6
    )
    assert loss.get_config() == {"name": loss.name, "reduction": "sum"}


def test_arguments_left_out_by_keras_survive_a_file():
    for loss in (losses.Huber(delta=0.3), losses.CosineSimilarity(axis=0)):
        again = losses.deserialize(losses.serialize(loss))
        assert again(Y_TRUE, Y_PRED) == loss(Y_TRUE, Y_PRED)


def test_unknown_name_suggests():
    with pytest.raises(ValueError, match="mean_squared_error"):
        losses.get("mean_squarred_error")


def test_get_takes_functions_names_and_configs():
    assert losses.get("MSE") is losses.mean_squared_error
    assert losses.get(None) is None
    config = {"class_name": "Huber", "config": {"delta": 2.0}}
    assert losses.get(config)._mk_fn_kwargs == {"delta": 2.0}


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"\(3, 2\).*sparse_categorical"):
        losses.categorical_crossentropy(np.zeros((3, 1)), Y_PRED)
    with pytest.raises(ValueError, match=r"\(3, 2\).*categorical_crossentropy"):
        losses.sparse_categorical_crossentropy(Y_TRUE, Y_PRED)


def test_sparse_labels_along_another_axis():
    labels, scores = np.array([2, 0]), np.random.default_rng(0).normal(size=(3, 2))
    got = losses.sparse_categorical_crossentropy(
        labels, scores, from_logits=True, axis=0
    )
    log_p = scores - np.log(np.exp(scores).sum(0))
    np.testing.assert_allclose(got, [-log_p[2, 0], -log_p[0, 1]], 1e-5)


def test_losses_of_keras_tensors_are_recorded():
    x = minikeras.Input((2,), name="x")
    y = minikeras.Input((2,), name="y")
    values = losses.huber(x, y, delta=0.5)
    total = losses.MeanSquaredError(reduction="sum")(x, y)
    assert (values.shape, total.shape, total.dtype) == ((None,), (), "float32")
    model = minikeras.Model([x, y], [values, total])
    again = minikeras.Model.from_config(json.loads(json.dumps(model.get_config())))
    got = again([Y_TRUE, Y_PRED])
    np.testing.assert_allclose(got[0], losses.huber(Y_TRUE, Y_PRED, 0.5), 1e-6)
    np.testing.assert_allclose(got[1], SQUARED.sum(), 1e-6)


def test_names_and_configs_give_objects():
    assert isinstance(losses.deserialize("Huber"), losses.Huber)
    assert losses.deserialize("mse") is losses.mean_squared_error
    with pytest.raises(ValueError, match="class_name"):
        losses.deserialize({})


def test_weights_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"sample_weight of shape \(5,\)"):
        losses.MeanSquaredError()(Y_TRUE, Y_PRED, np.ones(5))

"""Layers that mix images: labels, boxes and masks follow."""

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 255, (4, 6, 5, 3)).astype("float32")


def data():
    return {
        "images": X,
        "labels": np.eye(4, dtype="float32"),
        "segmentation_masks": RNG.integers(0, 9, (4, 6, 5, 1)),
    }


def test_mix_up_blends_everything_by_the_same_weights():
    layer = layers.MixUp(seed=1)
    one = {"mix_weight": np.array([1, 0.25, 0.5, 0]), "permutation_order": [1, 0, 3, 2]}
    labels = layer.transform_labels(np.eye(4), one)
    weights = np.diag([1, 0.25, 0.5, 0]) + np.diag([0, 0, 0.5], 1)
    weights += np.diag([0.75, 0, 1], -1)
    np.testing.assert_allclose(labels, weights, atol=1e-6)
    expected = np.tensordot(weights, X, 1)
    np.testing.assert_allclose(layer.transform_images(X, one), expected, rtol=1e-5)
    masks = layer.transform_segmentation_masks(X[..., :1], one)
    np.testing.assert_allclose(masks, expected[..., :1], rtol=1e-5)


@pytest.mark.parametrize("single", [False, True])
def test_mix_up_joins_boxes_and_their_labels(single):
    boxes = {"boxes": RNG.uniform(0, 5, (2, 3, 4)), "labels": np.ones((2, 3))}
    inputs = {"images": X[:2], "bounding_boxes": boxes}
    if single:
        inputs = jax.tree_util.tree_map(lambda x: x[0], inputs)
    out = layers.MixUp(bounding_box_format="xyxy")(inputs, training=True)
    shapes = {k: v.shape[-2:] for k, v in out["bounding_boxes"].items()}
    assert shapes == {"boxes": (6, 4), "labels": (6,) if single else (2, 6)}
    assert boxes["labels"].shape == (2, 3)


def test_cut_mix_cuts_the_masks_where_it_cuts_the_images():
    inputs = data()
    inputs["segmentation_masks"] = X[..., :1]
    out = layers.CutMix((0.9, 1.0), seed=5)(inputs, training=True)
    np.testing.assert_array_equal(out["segmentation_masks"], out["images"][..., :1])
    np.testing.assert_allclose(np.sum(out["labels"], 1), 1, rtol=1e-5)
    assert not np.array_equal(out["images"], X)


def test_cut_mix_refuses_boxes():
    inputs = {"images": X, "bounding_boxes": {"boxes": X[:, :2, :4, 0], "labels": []}}
    with pytest.raises(NotImplementedError, match="CutMix does not support"):
        layers.CutMix().transform_bounding_boxes(inputs["bounding_boxes"], None)


def test_the_callers_dict_stays():
    inputs = data()
    before = dict(inputs)
    for layer in (layers.MixUp(), layers.CutMix(), layers.RandomErasing()):
        layer(inputs, training=True)
    assert inputs.keys() == before.keys()
    assert all(inputs[key] is before[key] for key in before)


def test_erasing_fills_boxes_only():
    y = layers.RandomErasing((1, 1), (0.2, 0.5), fill_value=-1, value_range=(-1, 255))
    y = np.asarray(y(X, training=True))
    erased = (y == -1).all(-1)
    assert ((y == X).all(-1) | erased).all() and 0 < erased.mean() < 0.7


def apply(layer, inputs, count=1):
    """The layer's results under jit, from its first state."""
    layer.build(X.shape)
    state = [v.value for v in layer.non_trainable_variables]

    @jax.jit
    def run(inputs, state):
        return layer.stateless_call([], state, inputs, training=True)

    results = []
    for _ in range(count):
        out, state = run(inputs, state)
        results.append(out)
    return results


def test_rand_augment_runs_the_same_layers_under_jit():
    inputs = data()
    eager, layer = layers.RandAugment(seed=3), layers.RandAugment(seed=3)
    for compiled in apply(layer, inputs, 3):
        expected = eager(inputs, training=True)
        for key in inputs:
            np.testing.assert_allclose(compiled[key], expected[key], atol=0.02)


def test_aug_mix_chooses_anew_in_each_compiled_step():
    first, second = apply(layers.AugMix(seed=1), X, 2)
    assert first.shape == X.shape and np.isfinite(first).all()
    assert np.abs(first - second).max() > 1


def test_a_model_with_random_layers_trains_compiled():
    model = keras.Sequential(
        [
            layers.RandomErasing(),
            layers.RandomSaturation(0.4),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    model.compile("sgd", "mse")
    history = model.fit(X / 255, np.ones((4, 2)), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()

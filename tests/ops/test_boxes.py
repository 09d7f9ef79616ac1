"""Bounding boxes: numbers by hand; the formats against each other."""

import jax
import numpy as np
import pytest

from minikeras.ops import box_matching, boxes
from minikeras.utils import bounding_boxes

BOX = [[1.0, 2.0, 5.0, 10.0]]
# The box above in an image of height 20 and width 10.
AS = {
    "xyxy": [1, 2, 5, 10],
    "yxyx": [2, 1, 10, 5],
    "xywh": [1, 2, 4, 8],
    "center_xywh": [3, 6, 4, 8],
    "center_yxhw": [6, 3, 8, 4],
    "rel_xyxy": [0.1, 0.1, 0.5, 0.5],
    "rel_yxyx": [0.1, 0.1, 0.5, 0.5],
    "rel_xywh": [0.1, 0.1, 0.4, 0.4],
    "rel_center_xywh": [0.3, 0.3, 0.4, 0.4],
}


def test_formats():
    # All there and back through xyxy, and some directly: each pair is a program.
    for source in boxes.FORMATS:
        for target in ("xyxy", "rel_center_xywh", source):
            y = boxes.convert_format([AS[source]], source, target.upper(), 20, 10)
            np.testing.assert_allclose(y, [AS[target]], rtol=1e-5)


def test_a_dict_does_not_change():
    given = {"boxes": np.array(BOX), "labels": [1]}
    y = bounding_boxes.convert_format(given, "xyxy", "xywh")
    assert y["labels"] == [1] and given["boxes"].tolist() == BOX
    assert y["boxes"].tolist() == [AS["xywh"]]


def test_labels_of_scores_are_cleared_too():
    given = {"boxes": [[-5.0, -5, -1, -1], [0, 0, 1, 1]], "labels": np.ones((2, 3))}
    y = boxes.clip_to_image_size(given, 4, 4)
    assert y["labels"].tolist() == [[-1.0] * 3, [1.0] * 3]


def test_a_quarter_turn():
    y = boxes.affine_transform([[0, 0, 2, 1]], 90.0, 0, 0, 1.0, 0, 0, 5, 5)
    np.testing.assert_allclose(y, [[0, 2, 1, 4]], atol=1e-5)


def test_affine_transform_of_a_batch_under_jit():
    batch = np.random.RandomState(0).rand(2, 3, 4) * 9
    angle = np.array([10.0, 60.0])
    run = jax.jit(
        lambda b: boxes.affine_transform(b, angle, 0.1, 0.2, 1.5, 5.0, 3.0, 9, 9)
    )
    both = run(batch)
    one = boxes.affine_transform(batch[1], 60.0, 0.1, 0.2, 1.5, 5.0, 3.0, 9, 9)
    np.testing.assert_allclose(both[1], one, atol=1e-4)


@pytest.mark.parametrize("ranks", [(2, 2), (2, 3), (3, 2), (3, 3)])
def test_iou_of_all_ranks(ranks):
    a = np.array([[0, 0, 2, 2], [1, 1, 3, 3.0]])
    b = np.array([[0, 0, 1, 2], [9, 9, 9, 9], [1, 1, 3, 3]])
    expected = np.array([[0.5, 0, 1 / 7], [0, 0, 1]])
    a, b = (x[None] if r == 3 else x for x, r in zip((a, b), ranks, strict=True))
    y = box_matching.compute_iou(a, b, "xyxy")
    assert y.ndim == max(ranks)
    np.testing.assert_allclose(np.reshape(y, (2, 3)), expected, atol=1e-5)


def test_iou_masks_fillers():
    y = box_matching.compute_iou([[0, 0, 2, 2]], [[-1] * 4], "xyxy", True, -7)
    assert y.tolist() == [[-7.0]]


def test_ciou_of_relative_boxes():
    a, b = [[0.0, 0.0, 0.5, 0.5]], [[0.25, 0.25, 1.0, 1.0]]
    y = box_matching.compute_ciou(a, b, "rel_xyxy", (8, 8, 3))
    x = box_matching.compute_ciou(np.multiply(a, 8), np.multiply(b, 8), "xyxy")
    np.testing.assert_allclose(y, x, rtol=1e-5)
    assert -1 < float(y[0]) < 0.3


@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
def test_offsets_lead_back_to_the_boxes(encoding):
    rng = np.random.RandomState(1)
    anchors, target = (
        np.concatenate([p, p + 1 + rng.rand(4, 2)], -1) for p in rng.rand(2, 4, 2)
    )
    settings = {"variance": [0.1, 0.1, 0.2, 0.2], "image_shape": (8, 8, 3)}
    args = ("xyxy", "rel_xyxy", encoding)
    deltas = box_matching.encode_box_to_deltas(anchors, target / 8, *args, **settings)
    back = box_matching.decode_deltas_to_boxes(
        {1: anchors}, {1: deltas}, *args, **settings
    )
    np.testing.assert_allclose(back[1], target / 8, rtol=1e-4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: boxes.convert_format([[1, 2, 3]], "xyxy", "xywh"),
        lambda: boxes.convert_format(BOX, "xyxy", "wrong"),
        lambda: boxes.convert_format(BOX, "xyxy", "rel_xyxy"),
        lambda: boxes.clip_to_image_size({"boxes": BOX}),
        lambda: box_matching.compute_iou([1, 2, 3, 4], BOX, "xyxy"),
        lambda: box_matching.compute_iou(BOX, BOX, "rel_xyxy"),
        lambda: box_matching.encode_box_to_deltas(BOX, BOX, "xyxy", "xyxy", "xyxy"),
        lambda: box_matching.encode_box_to_deltas(
            BOX, BOX, "xyxy", "xyxy", variance=[1.0]
        ),
        lambda: boxes.as_boxes([1]),
        lambda: boxes.as_boxes({"boxes": [[[0, 0, 1, 1]]], "labels": np.ones(1)}),
        lambda: boxes.as_boxes({"boxes": [[[0, 0, 1, 1]]], "labels": [[1], [2]]}),
        lambda: boxes.as_boxes({"boxes": np.ones(4), "labels": np.ones(1)}),
        lambda: boxes.as_boxes({"boxes": np.ones((1, 4)), "labels": np.ones(())}),
    ],
)
def test_wrong_arguments(call):
    with pytest.raises(ValueError):
        call()


@pytest.mark.parametrize("name", ["affine_transform", "crop", "pad"])
def test_other_formats_must_be_converted(name):
    args = {"affine_transform": 8, "crop": 4, "pad": 2}[name]
    with pytest.raises(NotImplementedError, match="convert_format"):
        getattr(bounding_boxes, name)(BOX, *[1] * args, bounding_box_format="xywh")

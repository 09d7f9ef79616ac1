"""Pictures of boxes, masks and galleries."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import visualization

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 255, (2, 24, 30, 3), dtype="uint8")
BOXES = {
    "boxes": np.array([[[4, 6, 20, 18], [1, 1, 2, 2]], [[0, 0, 10, 10], [5, 5, 9, 9]]]),
    "labels": np.array([[1, -1], [0, 2]]),
}
MASKS = RNG.integers(0, 3, (2, 24, 30, 1))


def test_lines_are_where_the_boxes_are():
    black = np.zeros_like(IMAGES)
    thin = {"color": (9, 8, 7), "line_thickness": 1}
    drawn = visualization.draw_bounding_boxes(black, BOXES, "xyxy", **thin)
    expected = np.zeros((24, 30), bool)
    expected[[6, 18], 4:21] = expected[6:19, 4] = expected[6:19, 20] = True
    np.testing.assert_array_equal((drawn[0] == [9, 8, 7]).all(-1), expected)
    np.testing.assert_array_equal(black, 0)  # the caller's array is his own
    relative = {
        **BOXES,
        "boxes": BOXES["boxes"][..., [1, 0, 3, 2]] / [24.0, 30.0, 24.0, 30.0] + 1e-6,
    }
    again = visualization.draw_bounding_boxes(black, relative, "rel_yxyx", **thin)
    np.testing.assert_array_equal(again, drawn)
    first = visualization.draw_bounding_boxes(
        black.transpose(0, 3, 1, 2), BOXES, "xyxy", data_format="channels_first", **thin
    )
    np.testing.assert_array_equal(first, drawn.transpose(0, 3, 1, 2))


def test_names_floats_and_one_channel():
    scored = {**BOXES, "confidences": np.full((2, 2), 0.5)}
    options = {"class_mapping": {1: "cat"}, "font_scale": 0.4}
    plain = visualization.draw_bounding_boxes(IMAGES / 255.0, BOXES, "xyxy")
    named = visualization.draw_bounding_boxes(IMAGES / 255.0, scored, "xyxy", **options)
    assert (plain[0] != named[0]).any() and (plain[1] == named[1]).all()
    grey = visualization.draw_bounding_boxes(IMAGES[..., :1], BOXES, "xyxy")
    assert grey.shape == (2, 24, 30, 1)


def test_masks():
    colors = {0: (10, 20, 30), 2: (200, 100, 0)}
    drawn = visualization.draw_segmentation_masks(
        IMAGES, MASKS, 3, colors, alpha=0.25, ignore_index=0
    )
    number = MASKS[..., 0]
    for i in (0, 1):
        np.testing.assert_array_equal(drawn[number == i], IMAGES[number == i])
    mixed = IMAGES[number == 2] * 0.75 + np.array([200, 100, 0]) * 0.25
    np.testing.assert_allclose(drawn[number == 2], mixed, atol=1)
    plain = visualization.draw_segmentation_masks(IMAGES, number, blend=False)
    assert plain.dtype == "float32" and len(np.unique(plain[number == 2], axis=0)) == 1


def test_galleries(tmp_path):
    options = {"path": tmp_path / "a.png"}
    visualization.plot_image_gallery(
        RNG.random((5, 8, 8, 1)), [0, 1, 2, 0, 1], label_map={0: "a"},
        value_range=(0, 1), **options,
    )  # fmt: skip
    assert (tmp_path / "a.png").stat().st_size > 500
    visualization.plot_bounding_box_gallery(
        IMAGES, "xyxy", BOXES, BOXES, legend=True, path=tmp_path / "b.png"
    )
    visualization.plot_segmentation_mask_gallery(
        IMAGES, 3, y_true=MASKS, y_pred=MASKS, path=tmp_path / "c.png"
    )
    assert (tmp_path / "b.png").exists() and (tmp_path / "c.png").exists()
    assert visualization.plot_image_gallery(IMAGES, show=False) is None


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda v: v.draw_bounding_boxes(IMAGES[0], BOXES, "xyxy"), ValueError, "4D"),
        (lambda v: v.draw_bounding_boxes(IMAGES, [1], "xyxy"), TypeError, "a dict"),
        (lambda v: v.draw_bounding_boxes(IMAGES, {}, "xyxy"), ValueError, "'labels'"),
        (lambda v: v.draw_bounding_boxes(IMAGES, BOXES, "abc"), ValueError, "abc"),
        (
            lambda v: v.draw_segmentation_masks(IMAGES, MASKS * 1.0),
            TypeError,
            "integer",
        ),
        (lambda v: v.plot_image_gallery(IMAGES, [1, 2]), ValueError, "label_map"),
        (
            lambda v: v.plot_image_gallery(IMAGES, path="x", show=True),
            ValueError,
            "both",
        ),
        (
            lambda v: v.plot_bounding_box_gallery(
                IMAGES, "xyxy", legend=True, legend_handles=[1]
            ),
            ValueError,
            "OR",
        ),
    ],
)
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call(keras.visualization)

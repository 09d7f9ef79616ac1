"""Layers that move pixels: numbers by hand, boxes of all formats, dicts, pipelines."""

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.core.bridge import Frame
from minikeras.layers.preprocessing.image.base_image_layer import (
    BaseImagePreprocessingLayer,
)
from minikeras.ops.boxes import FORMATS, convert_format

H, W = 6, 8
X = np.random.RandomState(0).randint(0, 255, (2, H, W, 3)).astype("float32")
BOXES = np.array(
    [[[1, 1, 4, 5], [0, 0, 8, 6]], [[2, 0, 3, 6], [5, 2, 7, 3]]], "float32"
)


def data(box_format="xyxy"):
    boxes = convert_format(BOXES, "xyxy", box_format, height=H, width=W)
    return {
        "images": X,
        "labels": np.array([3, 4]),
        "bounding_boxes": {"boxes": boxes, "labels": np.array([[1, 2], [3, 4]])},
        "segmentation_masks": (X[..., :1] // 64).astype("uint8"),
    }


MADE = {
    "Resizing": {"height": 3, "width": 16},
    "CenterCrop": {"height": 4, "width": 5},
    "RandomCrop": {"height": 4, "width": 5},
    "RandomFlip": {"mode": "horizontal"},
    "RandomRotation": {"factor": (0.25, 0.25)},
    "RandomTranslation": {"height_factor": 0.5, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.5},
    "RandomShear": {"x_factor": 0.3},
    "RandomPerspective": {"scale": 0.3},
}


def make(name, box_format="xyxy", **more):
    return getattr(layers, name)(**MADE[name], bounding_box_format=box_format, **more)


def seeded(name):
    return {"seed": 5} if name.startswith("Random") else {}


@pytest.mark.parametrize("name", MADE)
def test_every_format_gives_the_same_boxes(name):
    expected = None
    for box_format in FORMATS:
        given = data(box_format)
        y = make(name, box_format, **seeded(name))(given)
        height, width = y["images"].shape[1:3]
        boxes = convert_format(
            y["bounding_boxes"]["boxes"], box_format, "xyxy", height, width
        )
        expected = boxes if expected is None else expected
        np.testing.assert_allclose(boxes, expected, atol=1e-4)


@pytest.mark.parametrize("name", MADE)
def test_boxes_follow_the_pixels(name):
    """A white rectangle on black stays within the box that was around it."""
    image = np.zeros((1, 12, 12, 1), "float32")
    image[:, 4:9, 3:10] = 1
    boxes = {"boxes": np.array([[[3, 4, 10, 9]]]), "labels": np.array([[1]])}
    more = seeded(name)
    if name in ("RandomRotation", "RandomTranslation", "RandomZoom"):
        more["fill_mode"] = "constant"
    if name == "RandomShear":
        pytest.skip("Keras's boxes are estimates")
    y = make(name, **more)({"images": image, "bounding_boxes": boxes})
    left, top, right, bottom = np.asarray(y["bounding_boxes"]["boxes"])[0, 0]
    rows, columns = np.nonzero(np.asarray(y["images"])[0, ..., 0] > 0.5)
    assert top - 1 <= rows.min() and rows.max() + 1 <= bottom + 1
    assert left - 1 <= columns.min() and columns.max() + 1 <= right + 1
    assert rows.max() + 1 >= bottom - 1.5 and columns.max() + 1 >= right - 1.5


@pytest.mark.parametrize("name", MADE)
def test_nothing_of_the_caller_changes(name):
    given = data()
    copy = jax.tree_util.tree_map(np.array, given)
    y = make(name)(given)
    assert set(y) == set(given)
    jax.tree_util.tree_map(np.testing.assert_array_equal, given, copy)


@pytest.mark.parametrize("name", MADE)
def test_one_image_is_a_batch_of_one(name):
    one = jax.tree_util.tree_map(lambda x: np.asarray(x)[0], data())
    batch = jax.tree_util.tree_map(lambda x: np.asarray(x)[:1], data())
    y, many = (make(name, **seeded(name))(x) for x in (one, batch))
    jax.tree_util.tree_map(
        lambda a, b: np.testing.assert_allclose(a, b[0], atol=1e-4), y, many
    )


@pytest.mark.parametrize("name", MADE)
def test_a_pipeline_takes_and_gives_numpy(name):
    y = make(name, **seeded(name))(data())
    with Frame(in_pipeline=True):
        host = make(name, **seeded(name))(data())
    for leaf in jax.tree_util.tree_leaves(host):
        assert type(leaf) is np.ndarray
    jax.tree_util.tree_map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-3), host, dict(y)
    )


def test_the_call_is_one_compiled_program_in_a_model():
    traced = []

    class Count(layers.Layer):
        def call(self, x):
            traced.append(type(x))
            return x

    model = keras.Sequential(
        [
            keras.Input((H, W, 3)),
            layers.RandomFlip(),
            layers.RandomZoom(0.2),
            layers.RandomCrop(4, 4),
            layers.RandomElasticTransform(),
            Count(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    model.fit(X, np.ones(2), epochs=1, verbose=0)
    before = len(traced)
    model.fit(X, np.ones(2), epochs=2, verbose=0)
    assert len(traced) == before and issubclass(traced[-1], jax.core.Tracer)


def test_lists_of_boxes_are_filled_up():
    boxes = {"boxes": [[[0, 0, 2, 2]], [[1, 1, 3, 3], [0, 0, 1, 1]]]}
    boxes["labels"] = [[7], [8, 9]]
    layer = layers.MaxNumBoundingBoxes(3, bounding_box_format="xyxy")
    y = layer({"images": X, "bounding_boxes": boxes})["bounding_boxes"]
    assert y["labels"].tolist() == [[7, -1, -1], [8, 9, -1]]
    assert y["boxes"].shape == (2, 3, 4)


def test_masks_and_images_of_an_elastic_transform_move_alike():
    layer = layers.RandomElasticTransform((1, 1), interpolation="nearest", seed=1)
    x = np.random.RandomState(0).randint(0, 9, (1, 48, 48, 1)).astype("float32")
    y = layer({"images": x, "segmentation_masks": x.astype("uint8")})
    assert y["segmentation_masks"].dtype == "uint8"
    np.testing.assert_array_equal(y["images"], y["segmentation_masks"])
    assert (np.asarray(y["images"]) != x).any()


def test_labels_may_be_text_and_other_keys_pass():
    given = {"images": X, "labels": np.array(["a", "b"]), "id": 7}
    y = layers.RandomFlip()(given)
    assert y["labels"].tolist() == ["a", "b"] and y["id"] == 7


def test_random_crop_scales_in_inference():
    layer = layers.RandomCrop(3, 4)
    assert layer(X, training=False).shape == (2, 3, 4, 3)
    # The largest window of the aspect ratio is the whole image.
    expected = layers.Resizing(3, 4)(X)
    np.testing.assert_allclose(layer(X, training=False), expected, atol=1e-4)


def test_a_shear_comes_back_from_its_config():
    layer = layers.RandomShear(0.2, (0.1, 0.3))
    again = layers.RandomShear.from_config(layer.get_config())
    assert again.x_factor == (-0.2, 0.2) and again.y_factor == (0.1, 0.3)


def test_a_fill_value_comes_back_from_its_config():
    layer = layers.MaxNumBoundingBoxes(2, fill_value=0)
    assert layers.MaxNumBoundingBoxes.from_config(layer.get_config()).fill_value == 0
    assert "fill_value" not in layers.MaxNumBoundingBoxes(2).get_config()


class Darken(BaseImagePreprocessingLayer):
    """A user's layer, written as for Keras."""

    def __init__(self, factor=0.5, seed=None, **kwargs):
        super().__init__(factor=factor, **kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def get_random_transformation(self, data, training=True, seed=None):
        images = data["images"] if isinstance(data, dict) else data
        n = self.backend.shape(images)[0]
        return self.backend.random.uniform((n, 1, 1, 1), 0, 1, seed=self.generator)

    def transform_images(self, images, transformation, training=True):
        images = self.backend.cast(images, self.compute_dtype)
        return images * transformation if training else images

    def transform_segmentation_masks(self, masks, transformation, training=True):
        return masks

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


def test_a_users_layer():
    layer = Darken(seed=2, bounding_box_format="xyxy")
    y = layer(data())
    share = np.asarray(y["images"]) / np.maximum(X, 1)
    assert share.max() <= 1 and share[0].max() != share[1].max()
    np.testing.assert_array_equal(y["bounding_boxes"]["boxes"], BOXES)
    assert layer(X, training=False).tolist() == X.tolist()
    assert layer.get_config()["seed"] == 2


@pytest.mark.parametrize(
    ("make_one", "error"),
    [
        (lambda: layers.RandomFlip("diagonal"), ValueError),
        (lambda: layers.RandomRotation("a"), ValueError),
        (lambda: layers.RandomRotation((2, 3)), ValueError),
        (lambda: layers.RandomRotation(0.1, fill_mode="mirror"), NotImplementedError),
        (lambda: layers.RandomZoom(-1.0), ValueError),
        (lambda: layers.RandomTranslation(0.1, 1.5), ValueError),
        (lambda: layers.RandomShear(-0.1), ValueError),
        (lambda: layers.RandomPerspective(scale=2), ValueError),
        (lambda: layers.Resizing(0, 3), ValueError),
        (lambda: layers.Resizing(2, 3, interpolation="cubic"), ValueError),
        (lambda: layers.Resizing(2, 3, factor=0.1), ValueError),
        (lambda: layers.MaxNumBoundingBoxes(0), ValueError),
        (lambda: layers.RandomFlip(bounding_box_format="xxyy"), ValueError),
        (lambda: layers.RandomFlip()(data()), ValueError),
        (lambda: layers.RandomFlip()(np.ones((2, 2))), ValueError),
        (lambda: make("RandomFlip")({**data(), "bounding_boxes": BOXES}), ValueError),
    ],
)
def test_wrong_arguments(make_one, error):
    with pytest.raises(error):
        make_one()

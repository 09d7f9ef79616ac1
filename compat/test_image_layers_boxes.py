"""`keras.utils.bounding_boxes` against real Keras."""

import numpy as np
import pytest
from keras.utils import bounding_boxes as theirs

from minikeras.ops.boxes import FORMATS
from minikeras.utils import bounding_boxes as ours

RNG = np.random.RandomState(0)
SIZE = {"height": 30, "width": 40}
SHAPE = {"image_shape": (30, 40, 3)}
A = np.sort(RNG.rand(2, 3, 4) * 40, -1).astype("float32")
B = np.sort(RNG.rand(2, 5, 4) * 40, -1).astype("float32")


def close(name, *args, tolerance=1e-5, **settings):
    """Both packages give the same arrays, of the same dtypes."""
    a, b = (getattr(m, name)(*args, **settings) for m in (theirs, ours))
    pairs = [(a[k], b[k]) for k in a] if isinstance(a, dict) else [(a, b)]
    for x, y in pairs:
        assert x.dtype == y.dtype and x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


EACH = [
    pytest.param(f, marks=() if f == "rel_center_xywh" else pytest.mark.slow)
    for f in FORMATS
]


@pytest.mark.parametrize("source", EACH)
def test_formats(source):
    for target in FORMATS:
        close("convert_format", A, source, target, **SIZE)
        close("convert_format", A[0].astype("int32"), source, target, **SIZE)


@pytest.mark.slow
@pytest.mark.parametrize("box_format", FORMATS)
def test_iou(box_format):
    for a, b in ((A, B), (A, B[0]), (A[0], B), (A[0], B[0])):
        close("compute_iou", a, b, box_format, **SHAPE)
    if not box_format.startswith("rel"):  # Keras refuses these, also with a shape
        close("compute_ciou", A, B[:, :3], box_format, tolerance=1e-4)


@pytest.mark.slow
def test_iou_with_fillers():
    fillers = np.concatenate([A, np.full((2, 1, 4), -1, "float32")], axis=1)
    close("compute_iou", fillers, B, "xyxy", use_masking=True, mask_val=-3)


@pytest.mark.slow
@pytest.mark.parametrize("variance", [None, [0.1, 0.2, 0.3, 0.4]])
@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
def test_offsets(encoding, variance):
    settings = {"variance": variance, **SHAPE, "tolerance": 1e-4}
    for box_format in FORMATS:
        anchors = theirs.convert_format(A[0] + [0, 0, 1, 1], "xyxy", box_format, **SIZE)
        boxes = theirs.convert_format(A + [0, 0, 2, 1], "xyxy", box_format, **SIZE)
        formats = (box_format, box_format, encoding)
        close("encode_box_to_deltas", anchors, boxes, *formats, **settings)
        deltas = RNG.randn(2, 3, 4).astype("float32") / 10
        close("decode_deltas_to_boxes", anchors, deltas, *formats, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("center", [{}, {"center_x": 0.2, "center_y": 0.7}])
def test_affine_maps(center):
    angle, shift_x, shift_y, scale, *shear = RNG.rand(6, 2).astype("float32")
    shear = [s * 30 for s in shear]
    arguments = (angle * 90, shift_x, shift_y, scale + 0.5, *shear, 30, 40)
    close("affine_transform", A, *arguments, **center, tolerance=1e-3)


def test_windows():
    labels = np.arange(6).reshape(2, 3)
    close("crop", A, 3, 4, 20, 25)
    close("pad", A, 3, 4)
    close("clip_to_image_size", {"boxes": A * 2 - 20, "labels": labels}, **SIZE)
    boxes = {"boxes": A / 20 - 0.5, "labels": labels}
    close("clip_to_image_size", boxes, bounding_box_format="rel_xyxy")

"""Preparing images, and naming the answers; numbers are compared with Keras's in
`compat/test_applications_parity.py`."""

import json

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras.applications import imagenet_utils


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("caffe", [30 - 103.939, 20 - 116.779, 10 - 123.68]),
        ("tf", [10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1]),
        (
            "torch",
            [
                (10 / 255 - 0.485) / 0.229,
                (20 / 255 - 0.456) / 0.224,
                (30 / 255 - 0.406) / 0.225,
            ],
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_modes(mode, expected, dtype):
    x = np.array([[[10, 20, 30]]], dtype)
    for image in (x, keras.ops.convert_to_tensor(x)):
        prepared = imagenet_utils.preprocess_input(image, mode=mode)
        assert prepared.dtype == "float32"
        np.testing.assert_allclose(prepared[0, 0], expected, rtol=1e-5)


def test_traced_code_and_gradients():
    x = np.random.default_rng(0).uniform(0, 255, (2, 3, 3, 3)).astype("float32")
    prepare = imagenet_utils.preprocess_torch
    np.testing.assert_allclose(
        jax.jit(prepare)(x), prepare(x.copy()), rtol=1e-5, atol=1e-6
    )
    gradient = jax.grad(lambda x: prepare(x).sum())(x)
    np.testing.assert_allclose(
        gradient[0, 0, 0], 1 / 255 / np.array([0.229, 0.224, 0.225]), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("x", "options", "text"),
    [
        (np.ones((2, 2, 3)), {"mode": "keras"}, "mode to be one of"),
        (np.ones((2, 2, 3)), {"data_format": "nhwc"}, "data_format"),
        (np.ones((2, 2)), {}, "3 channels on axis 1.*shape \\(2, 2\\)"),
        (np.ones((2, 2, 1)), {}, "3 channels on axis 2"),
    ],
)
def test_refused(x, options, text):
    with pytest.raises(ValueError, match=text):
        imagenet_utils.preprocess_input(x, **options)


@pytest.fixture
def index(tmp_path, monkeypatch):
    names = {str(i): [f"n{i:08}", f"class {i}"] for i in range(1000)}
    (tmp_path / "names.json").write_text(json.dumps(names))
    monkeypatch.setattr(
        imagenet_utils, "get_file", lambda *args, **kw: tmp_path / "names.json"
    )


def test_decode_predictions(index):
    scores = np.zeros((2, 1000), "float32")
    scores[0, [3, 5]], scores[1, 999] = [0.4, 0.6], 1.0
    first, second = imagenet_utils.decode_predictions(scores, top=2)
    assert first == [
        ("n00000005", "class 5", np.float32(0.6)),
        ("n00000003", "class 3", np.float32(0.4)),
    ]
    assert second[0][:2] == ("n00000999", "class 999")
    scores = keras.ops.convert_to_tensor(scores)
    assert len(imagenet_utils.decode_predictions(scores)[1]) == 5


@pytest.mark.parametrize(
    ("shape", "top"), [((1000,), 5), ((2, 10), 5), ((1, 1000), 0), ((1, 1000), 1001)]
)
def test_predictions_that_are_refused(shape, top):
    with pytest.raises(ValueError, match="decode_predictions"):
        imagenet_utils.decode_predictions(np.zeros(shape), top=top)


def test_clips_and_arrays_that_may_not_be_written():
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 5, 3))
    x.flags.writeable = False
    prepared = imagenet_utils.preprocess_caffe(x)
    image = imagenet_utils.preprocess_caffe(x[1, 2].copy())
    np.testing.assert_array_equal(prepared[1, 2], image)
    first = imagenet_utils.preprocess_torch(np.moveaxis(x, -1, 1), "channels_first")
    last = imagenet_utils.preprocess_torch(x)
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), last)

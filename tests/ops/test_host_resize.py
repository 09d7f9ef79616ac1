"""Scaling in NumPy against `keras.ops.image.resize`."""

import numpy as np
import pytest

from minikeras.ops.host_resize import host_resize
from minikeras.ops.image import resize


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(
    "interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
)
def test_equals_the_op(interpolation, antialias):
    x = np.random.RandomState(0).rand(2, 9, 7, 3).astype("float32") * 255
    for size in ((4, 12), (9, 3)):
        expected = resize(x, size, interpolation, antialias)
        y = host_resize(x, size, -3, interpolation, antialias)
        assert type(y) is np.ndarray and y.dtype == "float32"
        np.testing.assert_allclose(y, expected, atol=2e-3)


def test_integers_are_rounded_and_stay_in_range():
    x = np.array([[[0], [255]]], "uint8")
    y = host_resize(x, (1, 5), interpolation="lanczos3")
    assert y.dtype == "uint8" and y.min() == 0 and y.max() == 255


def test_channels_first():
    x = np.random.RandomState(0).rand(3, 6, 5).astype("float32")
    y = host_resize(x, (4, 4), -2)
    expected = resize(x, (4, 4), data_format="channels_first")
    np.testing.assert_allclose(y, expected, atol=1e-5)

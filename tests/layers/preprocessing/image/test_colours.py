"""Layers that change the colours of images: numbers by hand, layouts and dtypes."""

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.ops.image_enhance import histograms

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (2, 6, 4, 3)).astype("float32")
LAYOUTS = [
    layers.AutoContrast,
    layers.Equalization,
    lambda **s: layers.ContrastLimitedAdaptiveHistogramEqualization(
        tile_grid_size=(2, 2), **s
    ),
    lambda **s: layers.RandomColorJitter((0, 255), 0.2, 0.5, 0.3, 0.4, seed=1, **s),
    lambda **s: layers.RandomColorDegeneration(0.8, seed=1, **s),
    lambda **s: layers.RandomGrayscale(1.0, seed=1, **s),
    lambda **s: layers.RandomSharpness(0.8, seed=1, **s),
    lambda **s: layers.RandomGaussianBlur((1.0, 1.0), seed=1, **s),
    lambda **s: layers.RandomErasing((1, 1), 0.5, (9, 99, 200), seed=1, **s),
]


def to_first(x):
    return np.moveaxis(x, -1, -3)


@pytest.mark.parametrize("make", LAYOUTS)
def test_channels_first_is_channels_last_transposed(make):
    last = make(data_format="channels_last")(X, training=True)
    first = make(data_format="channels_first")(to_first(X), training=True)
    assert np.abs(last - X).max() > 1
    np.testing.assert_allclose(first, to_first(last), atol=1e-3)


def test_brightness_of_bytes_is_clipped_not_wrapped():
    layer = layers.RandomBrightness((0.5, 0.5))
    y = layer(np.array([[[200], [10]]], "uint8"), training=True)
    assert y.dtype == "float32" and y[0, :, 0].tolist() == [255.0, 137.5]


def test_inference_returns_the_images():
    for layer in (layers.RandomHue(0.5), layers.RandomInvert(), layers.Solarization()):
        assert (layer(X, training=False) == X).all()


def test_contrast_around_the_mean_of_each_channel():
    layer = layers.RandomContrast((-1.0, 1.0))
    layer.factor = (-1.0, 1.0)  # a factor of 2
    y = layer(X / 4 + 60, training=True)
    x = X / 4 + 60
    mean = x.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(y, np.clip(2 * (x - mean) + mean, 0, 255), atol=1e-3)


def test_sharpness_of_a_point():
    x = np.zeros((5, 5, 1), "float32")
    x[2, 2] = 13.0
    y = layers.RandomSharpness((0.0, 0.0))(x, training=True)[1:4, 1:4, 0]
    np.testing.assert_allclose(y, [[1, 1, 1], [1, 5, 1], [1, 1, 1]], atol=1e-5)


def test_histograms_count():
    rows = RNG.integers(0, 7, (3, 50)).astype("int32")
    expected = [np.bincount(row, minlength=7) for row in rows]
    assert (histograms(rows, 7) == np.array(expected)).all()


def test_equalization_of_bytes_in_another_range():
    byte = RNG.integers(0, 256, (2, 8, 8, 3))
    expected = layers.Equalization()(byte.astype("float32"), training=True)
    x = (byte / 127.5 - 1).astype("float32")
    y = layers.Equalization(value_range=(-1, 1))(x, training=True)
    # The way back to bytes may miss an integer by one bit: another bin for a few.
    assert np.mean(np.abs((y + 1) * 127.5 - expected) > 1e-3) < 0.2
    assert y.min() >= -1 and y.max() <= 1


def test_clahe_keeps_means_of_tiles_apart():
    layer = layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0.0)
    y = layer(np.tile(np.arange(64, dtype="float32").reshape(8, 8, 1), (4, 4, 1)))
    assert y.shape == (32, 32, 1) and 0 <= y.min() and y.max() <= 255
    y = layer(np.full((5, 7, 3), 9, "uint8"))
    assert y.dtype == "uint8" and len(np.unique(y)) == 1


@pytest.mark.parametrize(
    "make, problem",
    [
        (lambda: layers.RandomBrightness(1.5), "The `factor` argument"),
        (lambda: layers.RandomHue(0.2, value_range=3), "The `value_range` argument"),
        (lambda: layers.Solarization(2.0), "addition_factor"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "odd"),
        (lambda: layers.RandomGrayscale(1.5), "between 0 and 1"),
        (lambda: layers.RandomErasing(fill_value="red"), "fill_value"),
        (lambda: layers.Equalization(bins=0), "bins"),
        (lambda: layers.MixUp(alpha=-1), "alpha"),
        (lambda: layers.RandomContrast(0.1)(np.ones((2, 3))), "rank 3 or 4"),
    ],
)
def test_errors_tell_the_argument(make, problem):
    with pytest.raises(ValueError, match=problem):
        make()


def test_a_seed_gives_the_same_images_again():
    def run():
        keras.utils.set_random_seed(3)
        return layers.RandomBrightness(0.4)(X, training=True)

    assert (run() == run()).all()

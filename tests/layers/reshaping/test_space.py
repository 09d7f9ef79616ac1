"""Cropping, padding and upsampling of sequences, images and volumes."""

import numpy as np
import pytest

from minikeras import KerasTensor, layers

_RNG = np.random.default_rng(0)
SEQUENCE = _RNG.normal(size=(2, 6, 3)).astype("float32")
IMAGE = _RNG.normal(size=(2, 5, 6, 3)).astype("float32")
VOLUME = _RNG.normal(size=(2, 5, 6, 7, 3)).astype("float32")
FIRST = {"data_format": "channels_first"}


def test_cropping():
    np.testing.assert_array_equal(layers.Cropping1D((1, 2))(SEQUENCE), SEQUENCE[:, 1:4])
    np.testing.assert_array_equal(
        layers.Cropping2D(((1, 0), (2, 3)))(IMAGE), IMAGE[:, 1:, 2:3]
    )
    np.testing.assert_array_equal(
        layers.Cropping2D((2, 1), **FIRST)(IMAGE), IMAGE[:, :, 2:4, 1:2]
    )
    np.testing.assert_array_equal(
        layers.Cropping3D((1, 2, 3))(VOLUME), VOLUME[:, 1:4, 2:4, 3:4]
    )


@pytest.mark.parametrize(
    "layer, x",
    [
        (layers.Cropping1D((3, 3)), SEQUENCE),
        (layers.Cropping2D(((0, 0), (4, 2))), IMAGE),
        (layers.Cropping3D(((4, 1), (0, 0), (0, 0))), VOLUME),
    ],
)
def test_cropping_everything_is_refused(layer, x):
    with pytest.raises(ValueError, match="smaller than"):
        layer(x)
    with pytest.raises(ValueError, match="smaller than"):
        layer(KerasTensor((None, *x.shape[1:])))


def test_unknown_sizes_stay_unknown():
    x = KerasTensor((None, None, 6, 3))
    assert layers.Cropping2D(1)(x).shape == (None, None, 4, 3)
    assert layers.ZeroPadding2D(1)(x).shape == (None, None, 8, 3)
    assert layers.UpSampling2D(2)(x).shape == (None, None, 12, 3)


def test_zero_padding():
    np.testing.assert_array_equal(
        layers.ZeroPadding1D((1, 2))(SEQUENCE),
        np.pad(SEQUENCE, ((0, 0), (1, 2), (0, 0))),
    )
    np.testing.assert_array_equal(
        layers.ZeroPadding2D(((1, 0), (2, 3)), **FIRST)(IMAGE),
        np.pad(IMAGE, ((0, 0), (0, 0), (1, 0), (2, 3))),
    )
    np.testing.assert_array_equal(
        layers.ZeroPadding3D((1, 2, 3))(VOLUME),
        np.pad(VOLUME, ((0, 0), (1, 1), (2, 2), (3, 3), (0, 0))),
    )


def test_nearest_upsampling_repeats():
    expected = IMAGE.repeat(2, axis=1).repeat(3, axis=2)
    np.testing.assert_array_equal(layers.UpSampling2D((2, 3))(IMAGE), expected)
    expected = VOLUME.repeat(2, 2).repeat(3, 4)
    layer = layers.UpSampling3D((2, 1, 3), **FIRST)
    np.testing.assert_array_equal(layer(VOLUME), expected)


def test_bilinear_upsampling_of_a_ramp():
    x = np.array([0.0, 4.0], "float32").reshape(1, 1, 2, 1)
    y = layers.UpSampling2D((1, 2), interpolation="bilinear")(x)
    np.testing.assert_allclose(np.ravel(y), [0, 1, 3, 4], atol=1e-6)


def test_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="interpolation"):
        layers.UpSampling2D(interpolation="linearly")


@pytest.mark.parametrize("name", ["Cropping", "ZeroPadding"])
@pytest.mark.parametrize("wrong", [(1,), (1, 2, 3, 4), "12", -1, 1.5, ((1, 2), "3")])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_bad_amounts_are_refused(name, wrong, rank):
    argument = "cropping" if name == "Cropping" else "padding"
    with pytest.raises(ValueError, match=argument):
        getattr(layers, f"{name}{rank}D")(wrong)

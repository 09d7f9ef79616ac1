"""MelSpectrogram and STFTSpectrogram."""

import numpy as np
import pytest

from minikeras import layers
from minikeras.ops.mel import mel_matrix

RATE = 8000
TONE = np.sin(2 * np.pi * 1000 * np.arange(1024) / RATE).astype("float32")


def test_mel_bands_are_triangles_that_overlap():
    matrix = np.asarray(mel_matrix(6, 129, RATE, 100.0, 3000.0))
    assert matrix.shape == (129, 6)
    assert not matrix[0].any()
    inside = matrix[(matrix[:, 0] == 0) & (matrix[:, -1] == 0)].sum(1)
    np.testing.assert_allclose(inside[inside > 0], 1.0, rtol=1e-5)


def test_a_tone_is_loudest_in_its_band():
    layer = layers.MelSpectrogram(256, 64, sampling_rate=RATE, num_mel_bins=20)
    found = np.asarray(layer(TONE))
    matrix = np.asarray(mel_matrix(20, 129, RATE, 20.0, RATE / 2))
    assert (found[:, 4:-4].argmax(0) == matrix[1000 * 256 // RATE].argmax()).all()
    assert found.min() >= found.max() - 80.0


def test_stft_of_a_tone():
    layer = layers.STFTSpectrogram("magnitude", 256, 128)
    found = np.asarray(layer(TONE[None, :, None]))
    assert (found.argmax(-1) == 1000 * 256 // RATE).all()


@pytest.mark.parametrize("mode", ["real", "imag", "stft", "angle", "psd"])
def test_modes_belong_together(mode):
    x = np.random.default_rng(0).normal(size=(2, 64, 2)).astype("float32")
    real, imag, found = (
        np.asarray(layers.STFTSpectrogram(m, 16, expand_dims=True)(x))
        for m in ("real", "imag", mode)
    )
    power = real**2 + imag**2
    power[:, :, 1:-1] *= 2
    expected = {
        "real": real,
        "imag": imag,
        "stft": np.concatenate([real, imag], axis=2),
        "angle": np.arctan2(imag, real),
        "psd": power,
    }
    np.testing.assert_allclose(found, expected[mode], rtol=1e-4, atol=1e-5)


def test_an_odd_length_warns():
    with pytest.warns(UserWarning, match="power of two"):
        layers.STFTSpectrogram(frame_length=8, fft_length=12)

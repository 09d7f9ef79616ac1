"""load_img, save_img and the arrays between; decoding of files of folders."""

import io

import numpy as np
import pytest

from minikeras.data.image_decoding import INTERPOLATIONS, decode_image, resize
from minikeras.data.image_files import array_to_img, img_to_array, load_img, save_img

PIL = pytest.importorskip("PIL.Image")
RGB = np.random.RandomState(0).randint(0, 256, (9, 12, 3)).astype("uint8")


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_png_comes_back(tmp_path, channels, data_format):
    x = np.random.RandomState(channels).randint(0, 256, (5, 7, channels))
    x = x.transpose(2, 0, 1) if data_format == "channels_first" else x
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        save_img(path, x, data_format=data_format, scale=False)
        mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
        memory = io.BytesIO((tmp_path / "a.png").read_bytes())
        for place in (path, str(path).encode(), memory):
            image = load_img(place, mode)
            found = img_to_array(image, data_format=data_format)
            assert found.dtype == "float32" and (found == x).all()


def test_modes_and_sizes(tmp_path):
    save_img(tmp_path / "a.png", RGB, scale=False)
    assert load_img(tmp_path / "a.png", "grayscale").mode == "L"
    assert load_img(tmp_path / "a.png", "rgba", (4, 6)).size == (6, 4)
    kept = load_img(tmp_path / "a.png", target_size=(3, 3), keep_aspect_ratio=True)
    middle = array_to_img(RGB[:, 1:10], scale=False).resize((3, 3), PIL.NEAREST)
    assert (np.asarray(kept) == np.asarray(middle)).all()
    deep = PIL.fromarray((np.arange(12).reshape(3, 4) * 5000).astype("uint16"))
    deep.save(tmp_path / "deep.png")
    x = img_to_array(load_img(tmp_path / "deep.png", "grayscale"), dtype="int32")
    assert x.max() == 55000


def test_scaling():
    x = np.linspace(-1, 3, 12).reshape(2, 2, 3)
    pixels = np.asarray(array_to_img(x))
    assert pixels.min() == 0 and pixels.max() == 255
    assert not np.asarray(array_to_img(np.ones((2, 2, 3)))).any()
    assert array_to_img(np.full((2, 2, 1), 300.0), scale=False).mode == "I"


def test_jpeg_has_no_transparency(tmp_path):
    with pytest.warns(UserWarning, match="no transparency"):
        save_img(tmp_path / "a.jpg", np.ones((4, 4, 4)))
    assert load_img(tmp_path / "a.jpg").size == (4, 4)
    file = io.BytesIO()
    save_img(file, np.ones((4, 4, 3)), file_format="jpg", quality=50)
    assert load_img(file).size == (4, 4)


def test_bad_input(tmp_path):
    save_img(tmp_path / "a.png", RGB)
    cases = [
        (lambda: load_img(tmp_path / "a.png", "hsv"), ValueError, "color_mode must be"),
        (lambda: load_img(3), TypeError, "path-like"),
        (
            lambda: load_img(tmp_path / "a.png", target_size=(2, 2), interpolation="x"),
            ValueError,
            "Invalid interpolation",
        ),
        (lambda: array_to_img(np.ones((2, 2))), ValueError, "rank 3"),
        (lambda: array_to_img(np.ones((2, 2, 5))), ValueError, "Unsupported channel"),
        (lambda: img_to_array(np.ones(3)), ValueError, "Unsupported image shape"),
        (lambda: load_img(tmp_path / "no.png"), FileNotFoundError, "no.png"),
    ]
    for call, kind, message in cases:
        with pytest.raises(kind, match=message):
            call()


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_resizing_keeps_constants_and_whole_steps(interpolation):
    same = resize(np.full((7, 5, 2), 9), (4, 11), interpolation)
    np.testing.assert_allclose(same, 9, rtol=1e-6)
    x = np.arange(24.0).reshape(4, 6, 1)
    blurs = interpolation in ("gaussian", "mitchellcubic")
    assert (resize(x, (4, 6), interpolation) == x).all() == (not blurs)
    half = resize(x, (2, 3), "area")
    np.testing.assert_allclose(half[..., 0], x.reshape(2, 2, 3, 2).mean((1, 3)))


def test_borders():
    x = np.ones((4, 8, 1))
    assert resize(x, (4, 4), "nearest", crop=True).shape == (4, 4, 1)
    padded = resize(x, (4, 4), "nearest", pad=True)
    assert padded[..., 0].sum(axis=1).tolist() == [0, 4, 4, 0]


@pytest.mark.parametrize("decoder", ["pillow", "simplejpeg"])
def test_decoding(tmp_path, decoder):
    if decoder == "simplejpeg":
        pytest.importorskip("simplejpeg")
    smooth = np.indices((9, 12)).sum(0)[..., None] * np.array([4, 8, 12])
    save_img(tmp_path / "a.jpg", smooth, scale=False, quality=95)
    save_img(tmp_path / "a.png", smooth, scale=False)
    for mode, channels in (("grayscale", 1), ("rgb", 3), ("rgba", 4)):
        jpeg = decode_image(tmp_path / "a.jpg", mode, (6, 4), decoder=decoder)
        png = decode_image(tmp_path / "a.png", mode, (6, 4), decoder=decoder)
        assert jpeg.shape == png.shape == (6, 4, channels)
        assert abs(jpeg - png).mean() < 4
    first = decode_image(
        tmp_path / "a.png", "rgb", (6, 4), data_format="channels_first"
    )
    assert first.shape == (3, 6, 4)
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "bad.jpg").write_bytes(data[: len(data) // 3])
    (tmp_path / "bad.png").write_bytes(b"text")
    for name in ("bad.jpg", "bad.png"):
        with pytest.raises(ValueError, match=rf"{name}' is not an image, or damaged"):
            decode_image(str(tmp_path / name), "rgb", (6, 4), decoder=decoder)

"""Images, with values known from numpy."""

import colorsys

import jax
import numpy as np
import pytest

import minikeras
from minikeras import KerasTensor, ops
from minikeras.ops import image

RNG = np.random.default_rng(0)
BATCH = RNG.uniform(size=(2, 6, 5, 3)).astype("float32")
PER_IMAGE = [
    image.rgb_to_grayscale,
    image.rgb_to_hsv,
    image.hsv_to_rgb,
    lambda x, **k: image.resize(x, (4, 7), **k),
    lambda x, **k: image.affine_transform(x, SHIFT[0] if x.ndim == 3 else SHIFT, **k),
    lambda x, **k: image.gaussian_blur(x, (3, 5), (0.8, 1.2), **k),
    lambda x, **k: image.extract_patches(x, 2, **k),
    lambda x, **k: image.pad_images(x, 1, 0, 2, 1, **k),
    lambda x, **k: image.crop_images(x, 1, 0, 2, 1, **k),
]
SHIFT = np.float32([[1, 0, 0.5, 0, 1, -0.25, 0, 0]] * 2)


def close(x, y, **tolerance):
    np.testing.assert_allclose(x, y, **{"rtol": 1e-5, "atol": 1e-6, **tolerance})


@pytest.mark.parametrize("function", PER_IMAGE)
def test_layouts_and_single_images(function):
    """A batch, its images one by one, and channels first are the same."""
    expected = np.asarray(jax.jit(function)(BATCH))
    close(np.stack([function(x) for x in BATCH]), expected)
    first = function(BATCH.transpose(0, 3, 1, 2), data_format="channels_first")
    close(np.moveaxis(first, 1, 3), expected)
    minikeras.config.set_image_data_format("channels_first")
    try:
        close(np.moveaxis(function(BATCH[0].transpose(2, 0, 1)), 0, 2), expected[0])
    finally:
        minikeras.config.set_image_data_format("channels_last")


def test_colours():
    red, green, blue = np.moveaxis(BATCH, 3, 0)
    grey = 0.2989 * red + 0.5870 * green + 0.1140 * blue
    close(image.rgb_to_grayscale(BATCH)[..., 0], grey)
    pixels = BATCH.reshape(-1, 3)
    expected = np.array([colorsys.rgb_to_hsv(*map(float, p)) for p in pixels])
    hsv = image.rgb_to_hsv(BATCH)
    close(np.reshape(hsv, (-1, 3)), expected)
    close(image.hsv_to_rgb(hsv), BATCH)


def test_gradients_of_grey_pixels_are_finite():
    gradient = jax.grad(lambda x: image.rgb_to_hsv(x).sum())
    assert np.isfinite(gradient(np.float32([[[0, 0, 0], [0.5, 0.5, 0.5]]]))).all()


def neighbourhoods(x, height, width):
    """(n, h, w, c) -> (n, h, w, c, height, width), zeros beyond the border."""
    edges = [((k - 1) // 2, k // 2) for k in (height, width)]
    padded = np.pad(x, [(0, 0), *edges, (0, 0)])
    return np.lib.stride_tricks.sliding_window_view(padded, (height, width), (1, 2))


def test_filters():
    def weights(size, sigma):
        x = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
        return x / x.sum()

    kernel = np.outer(weights(4, 1.5), weights(3, 0.7))
    expected = (neighbourhoods(BATCH, 4, 3) * kernel).sum((-1, -2))
    close(image.gaussian_blur(BATCH, (3, 4), (0.7, 1.5)), expected)
    down = np.outer([-1, 0, 1], [1, 2, 1])
    around = neighbourhoods(BATCH, 3, 3)
    expected = [(around * k).sum((-1, -2)) for k in (down, down.T)]
    close(image.sobel_edges(BATCH), np.stack(expected, -1), atol=1e-5)


def test_ssim():
    x, y = RNG.uniform(size=(2, 3, 12, 13, 2)).astype("float32")
    close(image.ssim(x, x), np.ones(3))
    # A window of one pixel has no variance.
    a, b = 0.01**2, 0.03**2
    expected = ((2 * x * y + a) * b / ((x * x + y * y + a) * b)).mean((1, 2, 3))
    close(image.ssim(x, y, filter_size=1), expected)
    assert image.ssim(x[0], y[0]).shape == ()
    symbolic = KerasTensor((None, 12, 13, 2))
    assert image.ssim(symbolic, symbolic).shape == (None,)


def test_resize():
    x = BATCH[:, :4, :4]
    close(image.resize(x, (2, 2), "nearest"), x[:, 1::2, 1::2])
    close(image.resize(x, (2, 2)), x.reshape(2, 2, 2, 2, 2, 3).mean((2, 4)))
    out = image.resize(BATCH, (3, 3), crop_to_aspect_ratio=True)
    close(out, image.resize(BATCH[:, :5], (3, 3)))
    narrow, edges = BATCH[:, :, :4], [(0, 0), (0, 0), (1, 1), (0, 0)]
    padded = np.pad(narrow, edges, constant_values=2)
    out = image.resize(narrow, (3, 3), pad_to_aspect_ratio=True, fill_value=2)
    close(out, image.resize(padded, (3, 3)))
    whole = image.resize(np.uint8([[[0], [255]]]), (1, 4), "bicubic")
    assert whole.dtype == "uint8" and whole.ravel().tolist() == [0, 53, 202, 255]


def test_moved_pixels():
    # Half a pixel along x, a quarter back along y.
    x = BATCH[..., 0]
    rows = np.pad(x, [(0, 0), (1, 0), (0, 1)])
    blend = 0.75 * rows[:, 1:] + 0.25 * rows[:, :-1]
    expected = 0.5 * (blend[:, :, :-1] + blend[:, :, 1:])
    close(image.affine_transform(BATCH, SHIFT)[..., 0], expected)
    corners = np.float32([[0, 0], [4, 0], [0, 5], [4, 5]])
    close(image.perspective_transform(BATCH[0], corners, corners), BATCH[0], atol=1e-4)
    right = image.perspective_transform(BATCH[0], corners, corners + np.float32([1, 0]))
    close(right[:, 1:], BATCH[0, :, :-1], atol=1e-4)
    for mode, entry in [("constant", 9), ("nearest", 3), ("wrap", 1), ("mirror", 2)]:
        out = ops.image.map_coordinates([1.0, 2.0, 3.0], [[3.0]], 0, mode, 9)
        assert out.tolist() == [entry]


def test_elastic_transform_is_random_and_repeatable():
    first = image.elastic_transform(BATCH, seed=1)
    close(first, image.elastic_transform(BATCH, seed=1))
    assert np.abs(first - image.elastic_transform(BATCH, seed=2)).max() > 0.01
    close(image.elastic_transform(BATCH, alpha=0.0), BATCH)


def test_scale_and_translate():
    x = BATCH[0]
    moved = image.scale_and_translate(x, (6, 5, 3), [1, 1], [2, 0], (0, 1), "linear")
    close(moved, np.pad(x[:4], [(2, 0), (0, 0), (0, 0)]))
    symbolic = KerasTensor((None, 6, 5, 3))
    out = image.scale_and_translate(
        symbolic, (None, 3, 4, 3), [0.5, 0.5], [0, 0], (1, 2), "cubic"
    )
    assert out.shape == (None, 3, 4, 3)


def test_patches():
    x = BATCH[:, :4]
    patches = image.extract_patches(x, (2, 5))
    close(patches, x.reshape(2, 2, 2, 1, 5, 3).swapaxes(2, 3).reshape(2, 2, 1, 30))
    views = np.lib.stride_tricks.sliding_window_view(BATCH, (3, 3), (1, 2))
    views = views[:, ::2, ::1, :, ::2, ::2].transpose(0, 1, 2, 4, 5, 3)
    out = image.extract_patches(BATCH, 2, strides=(2, 1), dilation_rate=2)
    close(out, views.reshape(*out.shape))
    volume = RNG.normal(size=(4, 4, 2, 1)).astype("float32")
    out = image.extract_patches_3d(volume, 2)
    close(out[1, 0, 0], volume[2:, :2].ravel())
    assert image.extract_patches(KerasTensor((None, None, 9, 3)), 3).shape == (
        *(None, None, 3, 27),
    )


def test_frames():
    out = image.pad_images(BATCH, 1, target_height=9, right_padding=2, target_width=8)
    close(out, np.pad(BATCH, [(0, 0), (1, 2), (1, 2), (0, 0)]))
    out = image.crop_images(BATCH, 1, target_height=3, right_cropping=2, target_width=2)
    close(out, BATCH[:, 1:4, 1:3])
    unknown = KerasTensor((None, None, None, 3))
    assert image.pad_images(unknown, 1, 1, 1, target_width=9).shape == (
        *(None, None, 9, 3),
    )
    assert image.crop_images(unknown, 1, 1, target_height=4, target_width=9).shape == (
        *(None, 4, 9, 3),
    )
    with pytest.raises(ValueError, match="height of the images is unknown"):
        image.crop_images(unknown, 1, 1, 1, 1)

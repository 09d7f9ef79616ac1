"""How augmentation moves the pixels of images, and boxes with them: one program each.

Boxes are (n, k, 4) or (k, 4) arrays in xyxy, in pixels.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minikeras.ops.boxes import around_points, corner_points
from minikeras.ops.image_filters import correlate
from minikeras.ops.image_geometry import (
    affine_transform,
    homography,
    perspective_transform,
    sample,
)
from minikeras.ops.image_sizes import resize

# The compiler wants modes, and the fill value, as constants.
_MODES = ("interpolation", "fill_mode", "fill_value", "data_format")
_SIZES = ("size", "antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio")
affine_images = partial(jax.jit, static_argnames=_MODES)(affine_transform)
resized_images = partial(jax.jit, static_argnames=(*_MODES, *_SIZES))(resize)


def matrix_rows(a0, a1, a2, b0, b1, b2):
    """Maps (n, 8) of coordinates from their numbers: (n,) arrays, or constants."""
    rows = jnp.broadcast_arrays(a0, a1, a2, b0, b1, b2, 0.0, 0.0)
    return jnp.stack(rows, axis=-1)


@jax.jit
def rotation_matrix(angle, height, width):
    """Maps (n, 8) that turn images by angles (n,) in degrees about their middle."""
    angle = jnp.radians(angle)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    x, y = 0.5 * (jnp.asarray([width, height], angle.dtype) - 1)
    return matrix_rows(
        *(cosine, -sine, x - x * cosine + y * sine),
        *(sine, cosine, y - x * sine - y * cosine),
    )


@jax.jit
def translation_matrix(translations):
    """Maps (n, 8) that move images by (n, 2) pixels along x and y."""
    x, y = translations.T
    return matrix_rows(1.0, 0.0, -x, 0.0, 1.0, -y)


@jax.jit
def zoom_matrix(zooms, height, width):
    """Maps (n, 8) that show the share (n, 2) of width and height, in the middle."""
    wide, high = zooms.T
    x, y = (width - 1.0) / 2 * (1 - wide), (height - 1.0) / 2 * (1 - high)
    return matrix_rows(wide, 0.0, x, 0.0, high, y)


@jax.jit
def shear_matrix(shear):
    """Maps (n, 8) that shear images by (n, 2) pixels a row and a column."""
    return matrix_rows(1.0, shear[:, 0], 0.0, shear[:, 1], 1.0, 0.0)


@jax.jit
def zoomed_boxes(boxes, zooms, height, width):
    """Boxes (n, k, 4) or (k, 4) in xyxy in the shares of images that are shown."""
    size = jnp.asarray([width, height], boxes.dtype)
    start = (size - 1) / 2 * (1 - zooms)
    start, end, zooms = (
        jnp.tile(v, 2)[:, None] if boxes.ndim == 3 else jnp.tile(v, 2)
        for v in (start, start + zooms * size, zooms)
    )
    return (jnp.clip(boxes, start, end) - start) / zooms


@jax.jit
def sheared_boxes(boxes, shear, height, width):
    """Boxes (n, k, 4) or (k, 4) in xyxy after a shear (n, 2), estimated as Keras does.

    Keras measures boxes in sizes of the image: the result is right for square images.
    """
    scale = jnp.asarray([width, height, width, height], boxes.dtype)
    x1, y1, x2, y2 = jnp.moveaxis(boxes / scale, -1, 0)
    along_x, along_y = shear[:, :1], shear[:, 1:]
    # Each side moves with the corner that goes farthest outwards.
    x1, x2 = (
        x1 - along_x * jnp.where(along_x < 0, y1, y2),
        x2 - along_x * jnp.where(along_x < 0, y2, y1),
    )
    y1, y2 = (
        y1 - along_y * jnp.where(along_y > 0, x2, x1),
        y2 - along_y * jnp.where(along_y > 0, x1, x2),
    )
    return jnp.stack([x1, y1, x2, y2], axis=-1) * scale


@partial(jax.jit, static_argnames=("mode", "axes"))
def flipped(images, flips, mode, axes):
    """Images (n, …), mirrored where `flips` (n,) is True; axes of height and width."""
    flips = flips.reshape(-1, 1, 1, 1)
    vertical, horizontal = axes
    if "horizontal" in mode:
        images = jnp.where(flips, jnp.flip(images, horizontal), images)
    if "vertical" in mode:
        images = jnp.where(flips, jnp.flip(images, vertical), images)
    return images


@partial(jax.jit, static_argnames="mode")
def flipped_boxes(boxes, flips, size, mode):
    """Boxes in xyxy, (n, k, 4) or (k, 4), in images of `size` (height, width)."""
    flips = flips.reshape(-1, *(1,) * (boxes.ndim - 1))
    height, width = size
    left, top, right, bottom = jnp.moveaxis(boxes, -1, 0)
    if "horizontal" in mode:
        left, right = width - right, width - left
    if "vertical" in mode:
        top, bottom = height - bottom, height - top
    return jnp.where(flips, jnp.stack([left, top, right, bottom], axis=-1), boxes)


@partial(jax.jit, static_argnames=("interpolation", "fill_value", "data_format"))
def perspective_images(
    images, chosen, start, end, interpolation, fill_value, data_format
):
    """The chosen (n,) images, with their corners moved from `start` to `end`."""
    moved = perspective_transform(
        images, start, end, interpolation, fill_value, data_format
    )
    return jnp.where(chosen.reshape(-1, 1, 1, 1), moved, images)


@jax.jit
def perspective_boxes(boxes, chosen, start, end):
    """Boxes (n, k, 4) in xyxy around the moved corners of the boxes."""
    h = homography(end, start)[..., None, None].swapaxes(0, 1)  # from start to end
    x, y = jnp.moveaxis(corner_points(boxes), -1, 0)
    scale = h[6] * x + h[7] * y + 1
    x, y = (
        (h[0] * x + h[1] * y + h[2]) / scale,
        (h[3] * x + h[4] * y + h[5]) / scale,
    )
    moved = around_points(jnp.stack([x, y], axis=-1))
    return jnp.where(chosen.reshape(-1, 1, 1), moved, boxes)


def _smoothing(sigma, longest):
    """Gaussian weights (longest,) that end at 3 sigma."""
    # Keras makes a kernel of int(6 sigma) | 1 weights. Its size depends on a draw, so
    # that no program could be compiled: zeros around it give the same sums.
    size = jnp.trunc(6 * sigma).astype("int32") | 1
    x = jnp.arange(longest, dtype=sigma.dtype) - (longest - 1) / 2
    weights = jnp.exp(-0.5 * (x / sigma) ** 2) * (jnp.abs(x) <= (size - 1) // 2)
    return weights / weights.sum()


@partial(jax.jit, static_argnames=("fill", "longest", "modes", "data_format"))
def elastic_images(images, chosen, factor, noise, fill, longest, modes, data_format):
    """The chosen (n,) images, moved by smoothed noise.

    `keras.ops.image.elastic_transform` with alpha = factor · max(h, w) / 10 and sigma =
    factor · min(h, w) / 20.

    Args:
        images: (n, h, w, c) array, or channels first.
        chosen: (n,) bool array.
        factor: scalar of the strength.
        noise: (n, h, w, 1) array of normal numbers.
        fill: number for pixels from beyond the border.
        longest: odd int, the longest kernel of the smoothing.
        modes: interpolation and fill mode.
        data_format: of the images.
    """
    x = jnp.moveaxis(images, 1, 3) if data_format == "channels_first" else images
    height, width = x.shape[1:3]
    factor = jnp.asarray(factor, noise.dtype)
    alpha = max(height, width) * (0.1 * factor)
    sigma = min(height, width) * (0.05 * factor)
    noise = noise * sigma
    weights = _smoothing(sigma, longest)
    for kernel in (weights[None, :, None], weights[:, None, None]):
        noise = correlate(noise, kernel)[..., 0]
    shift = alpha * noise
    places = [
        jnp.broadcast_to(i[..., None] + shift, x.shape)
        for i in jnp.indices((height, width))
    ]
    x = jnp.where(
        chosen.reshape(-1, 1, 1, 1), sample(x, *places, *modes, fill_value=fill), x
    )
    return jnp.moveaxis(x, 3, 1) if data_format == "channels_first" else x


def fitting_window(size, new_size):
    """(top, left, height, width) of the largest window of another aspect ratio."""
    (h, w), (new_h, new_w) = size, new_size
    height = max(min(h, w * new_h // new_w), 1)
    width = max(min(w, h * new_w // new_h), 1)
    return (h - height) // 2, (w - width) // 2, height, width


def resized_boxes(boxes, size, new_size, crop=False, pad=False):
    """Boxes in xyxy in images of `size` scaled to `new_size`, (height, width) each."""
    size, new_size = np.array(size), np.array(new_size)
    ratio, offset = new_size / size, np.zeros(2)
    if crop or pad:
        ratio = np.full(2, ratio.min() if pad else ratio.max())
        # Half of what is too much or missing lies before the image, rounded down.
        more = np.round(size * ratio - new_size, 4)
        offset = -(more // 2) if crop else -more // 2
    scale, move = (np.tile(v[::-1], 2).astype(boxes.dtype) for v in (ratio, offset))
    return boxes * scale + move


def window(images, axes, start, size):
    """A window of images; a drawn start is of arrays."""
    if isinstance(images, np.ndarray) or isinstance(start[0], int):
        cuts = [slice(None)] * images.ndim
        for axis, first, n in zip(axes, start, size, strict=True):
            cuts[axis] = slice(int(first), int(first) + n)
        return images[tuple(cuts)]
    return _drawn_window(images, start, axes, size)


@partial(jax.jit, static_argnames=("axes", "size"))
def _drawn_window(images, start, axes, size):
    for axis, first, n in zip(axes, start, size, strict=True):
        images = lax.dynamic_slice_in_dim(images, first, n, axis)
    return images

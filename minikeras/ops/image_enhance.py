"""Contrast, colour, detail and mixing of images: pure functions of batches.

Images are (n, h, w, c) arrays, or (n, c, h, w) with `data_format="channels_first"`;
other arrays hold one number for each image. Each function is one program also when it
is called eagerly.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.ops.image_colour import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from minikeras.ops.image_filters import blur, filter_along

BYTE = (0, 255)


def program(*static):
    """`jax.jit` with the value range, the data format and these names as constants."""
    names = ("value_range", "data_format", *static)
    return functools.partial(jax.jit, static_argnames=names)


def per_image(x, axes=3):
    """(n,) numbers or one number -> (n, 1, …), with this many axes of size 1."""
    return jnp.reshape(jnp.asarray(x), (-1, *(1,) * axes))


def _axes(data_format):
    """The axes of height and width, and that of the channels."""
    return ((-2, -1), -3) if data_format == "channels_first" else ((-3, -2), -1)


def _times(x, factor):
    """x * factor, rounded by itself; the product is finite."""
    # XLA would join two constant factors to one, and LLVM a product and a sum to one
    # FMA: of 256 bytes that come from [-1, 1], 63 would differ by one bit, and some
    # would go to another bin. Neither crosses a maximum.
    return jnp.maximum(x * factor, jnp.finfo(x.dtype).min)


def _divide(x, constant):
    """x / constant as XLA divides by one number: by way of the reciprocal."""
    return _times(x, np.divide(1, constant, dtype=np.float32).astype(x.dtype))


def linear(x, scale, offset):
    """x * scale + offset, rounded after each of the two steps."""
    return _times(x, scale) + offset if offset else _times(x, scale)


def rescale(x, source, target, dtype=jnp.float32):
    """Map values linearly from one range (lowest, highest) to another.

    Equal ranges return the values as they are, in their own dtype.
    """
    if tuple(source) == tuple(target):
        return x
    (a, b), (c, d) = source, target
    return linear(_divide(x.astype(dtype) - a, b - a), d - c, c)


@program()
def brighten(images, rgb_delta, value_range, data_format):
    """images + delta, clipped to the range."""
    return jnp.clip(images + rgb_delta.astype(images.dtype), *value_range)


@program()
def change_contrast(images, contrast_factor, value_range, data_format):
    """(x - mean) * factor + mean with the mean of a channel, clipped to the range."""
    mean = jnp.mean(images, axis=_axes(data_format)[0], keepdims=True)
    factor = contrast_factor.astype(images.dtype)
    return jnp.clip((images - mean) * factor + mean, *value_range)


@program()
def auto_contrast(images, value_range, data_format):
    """Stretch each channel linearly to the whole range; constant channels stay."""
    (axes, _), dtype = _axes(data_format), images.dtype
    x = rescale(images, value_range, BYTE, dtype)
    low, high = jnp.min(x, axes, keepdims=True), jnp.max(x, axes, keepdims=True)
    flat = ~(high > low)
    scale = 255.0 / jnp.where(flat, 1.0, high - low)
    stretched = jnp.clip(x * scale - low * scale, 0.0, 255.0)
    return jnp.where(flat, images, rescale(stretched, BYTE, value_range, dtype))


def histograms(indices, bins):
    """Counts of the values of each row: (rows, n) ints in 0..bins-1 -> (rows, bins)."""
    # One scatter: 1.2 ms for 200 thousand values on two cores; products of one-hot
    # rows took 3.3 ms, sorting 6.1, a comparison with each bin 65.
    rows, _ = indices.shape
    flat = indices + bins * jnp.arange(rows, dtype=jnp.int32)[:, None]
    counts = jnp.zeros(rows * bins, jnp.int32).at[flat.reshape(-1)].add(1)
    return counts.reshape(rows, bins)


@program("bins")
def equalize(images, bins, value_range, data_format):
    """Map each channel by its cumulative histogram over the whole batch."""
    _, channel = _axes(data_format)
    first = jnp.moveaxis(images, channel, 0)
    (a, b), rows = value_range, first.reshape(first.shape[0], -1)
    rows = linear(rows, 255 / (b - a), -a * (255 / (b - a)))
    wide = _divide(_times(rows.astype(jnp.float32), bins - 1), 255)
    index = jnp.clip(wide.astype(jnp.int32), 0, bins - 1)
    counts = histograms(index, bins)
    total = jnp.cumsum(counts, axis=1)
    # The first count that is not 0. Floats hold what int32 would not: 255 times the
    # pixels of a batch.
    start = jnp.min(jnp.where(total > 0, total, total[:, -1:]), axis=1, keepdims=True)
    span = jnp.maximum(total[:, -1:] - start, 1).astype(jnp.float32)
    table = _times((total - start).astype(jnp.float32), 255.0) * (1.0 / span)
    table = jnp.clip(jnp.round(table), 0, 255)
    index = jnp.clip(_divide(rows, 255) * (bins - 1), 0, bins - 1).astype(jnp.int32)
    constant = jnp.count_nonzero(counts, axis=1, keepdims=True) <= 1
    out = jnp.where(constant, rows, jnp.take_along_axis(table, index, axis=1))
    out = linear(out, (b - a) / 255, a)
    return jnp.moveaxis(out.reshape(first.shape), 0, channel).astype(images.dtype)


def _tile_mixture(size, tiles, tile):
    """For each pixel of an axis: the tiles before and after it, weight of the second.

    The weights grow linearly between the centres of the tiles.
    """
    place = (np.arange(size, dtype="float32") - tile / 2) / tile
    before = np.floor(place)
    indices = np.clip(np.stack([before, before + 1]), 0, tiles - 1).astype("int32")
    return *indices, (place - before).astype("float32")


def _clipped_tables(counts, pixels, clip_limit):
    """(..., 256) counts of a tile -> the new value of each byte."""
    counts = counts.astype(jnp.float32)
    if clip_limit > 0:
        # What exceeds the limit is spread over all values.
        kept = jnp.minimum(counts, clip_limit * pixels / 256.0)
        counts = kept + jnp.sum(counts - kept, axis=-1, keepdims=True) / 256.0
    total = jnp.cumsum(counts, axis=-1)
    start = total[..., :1]
    span = jnp.where(pixels == start, 1.0, pixels - start)
    return jnp.clip((total - start) * 255.0 / span, 0, 255)


@program("clip_limit", "tile_grid_size")
def clahe(images, clip_limit, tile_grid_size, value_range, data_format):
    """Equalize images by tiles, with bilinear weights between them."""
    _, channel = _axes(data_format)
    x = jnp.moveaxis(rescale(images, value_range, BYTE), channel, -1)
    (n, h, w, c), (rows, columns) = x.shape, tile_grid_size
    th, tw = -(-h // rows), -(-w // columns)
    pads = ((0, 0), (0, rows * th - h), (0, columns * tw - w), (0, 0))
    byte = jnp.clip(x, 0, 255).astype(jnp.int32)
    tiles = jnp.pad(byte, pads, mode="symmetric")
    tiles = tiles.reshape(n, rows, th, columns, tw, c).transpose(0, 1, 3, 5, 2, 4)
    counts = histograms(tiles.reshape(-1, th * tw), 256)
    tables = _clipped_tables(counts, th * tw, clip_limit).reshape(-1)
    top, bottom, down = _tile_mixture(h, rows, th)
    left, right, along = _tile_mixture(w, columns, tw)
    image = np.arange(n, dtype="int32")[:, None, None, None]

    def mapped(row, column):
        tile = (image * rows + row[:, None, None]) * columns + column[:, None]
        return tables[(tile * c + np.arange(c, dtype="int32")) * 256 + byte]

    along, down = along[:, None], down[:, None, None]
    upper = mapped(top, left) * (1 - along) + mapped(top, right) * along
    lower = mapped(bottom, left) * (1 - along) + mapped(bottom, right) * along
    out = rescale(upper * (1 - down) + lower * down, BYTE, value_range)
    return jnp.moveaxis(out, -1, channel).astype(images.dtype)


@program()
def solarize(images, additions, thresholds, value_range, data_format):
    """Add, then invert the values from a threshold on; both on the scale 0..255."""
    dtype = images.dtype
    x = jnp.clip(rescale(images, value_range, BYTE, dtype) + additions, 0, 255)
    return rescale(jnp.where(x < thresholds, x, 255 - x), BYTE, value_range, dtype)


@program()
def posterize(images, shift_factor, value_range, data_format):
    """Set the lowest bits of each byte to 0, `shift_factor` of them."""
    shift = per_image(shift_factor).astype(jnp.uint8)
    byte = rescale(images, value_range, BYTE, images.dtype).astype(jnp.uint8)
    byte = jnp.left_shift(jnp.right_shift(byte, shift), shift)
    return rescale(byte.astype(images.dtype), BYTE, value_range, images.dtype)


def _change_hsv(images, change, data_format):
    """RGB -> RGB by a function of the planes of hue, saturation and value."""
    _, channel = _axes(data_format)
    hsv = rgb_to_hsv(images, data_format=data_format)
    hsv = jnp.stack(change(*jnp.moveaxis(hsv, channel, 0)), axis=channel)
    return hsv_to_rgb(hsv, data_format=data_format)


@program()
def turn_hue(images, factor, value_range, data_format):
    """Add to the hue, in whole turns of the colour circle."""
    turn = per_image(factor, axes=2)

    def change(hue, saturation, value):
        hue = hue + turn.astype(hue.dtype)
        hue = jnp.where(hue > 1.0, hue - 1.0, hue)
        return jnp.where(hue < 0.0, hue + 1.0, hue), saturation, value

    rgb = _change_hsv(rescale(images, value_range, (0, 1)), change, data_format)
    return rescale(jnp.clip(rgb, 0, 1), (0, 1), value_range).astype(images.dtype)


@program()
def saturate(images, factor, value_range, data_format):
    """Multiply the saturation, and clip it to the value range."""
    factor = per_image(factor, axes=2).astype(images.dtype)

    def change(hue, saturation, value):
        return hue, jnp.clip(saturation * factor, *value_range), value

    return _change_hsv(images, change, data_format)


@program()
def fade(images, factor, value_range, data_format):
    """Move by a factor from the colours (0) to grey (1), clipped to the range."""
    grey = rgb_to_grayscale(images, data_format=data_format)
    mixed = images + per_image(factor).astype(images.dtype) * (grey - images)
    return jnp.clip(mixed, *value_range)


@functools.partial(jax.jit, static_argnames="data_format")
def grey_where(images, chosen, data_format):
    """Grey images where `chosen`, in as many channels as before."""
    grey = rgb_to_grayscale(images, data_format=data_format)
    return jnp.where(per_image(chosen), grey, images)


@program()
def sharpen(images, factor, value_range, data_format):
    """Move from the smoothed images (0) over the images (0.5) to sharper ones (1)."""
    # All weights of the 3 x 3 kernel are 1/13, but 5/13 in the middle.
    total = images
    for axis in _axes(data_format)[0]:
        total = filter_along(total, (1, 1, 1), axis)
    smooth = (total + 4 * images) * (1 / 13)
    factor = per_image(factor * 2).astype(images.dtype)
    return jnp.clip(images + (1 - factor) * (smooth - images), *value_range)


@program()
def invert(images, apply_inversion, value_range, data_format):
    """The highest value minus the pixels of the chosen images."""
    return jnp.where(per_image(apply_inversion), value_range[1] - images, images)


@program("kernel_size")
def blur_where(
    images, should_apply_blur, blur_factor, kernel_size, value_range, data_format
):
    """Blur the chosen images by a Gaussian of two sigmas; all are clipped."""
    sigma, axes = blur_factor.astype(images.dtype), _axes(data_format)[0]
    blurred = blur(images, kernel_size, sigma, axes[::-1])
    mixed = jnp.where(per_image(should_apply_blur), blurred, images)
    return jnp.clip(mixed, *value_range).astype(images.dtype)


@functools.partial(jax.jit, static_argnames=("height", "width", "data_format"))
def box_masks(top, bottom, left, right, height, width, data_format):
    """True within boxes: four (n,) arrays -> (n, h, w, 1), or (n, 1, h, w)."""
    rows = jnp.arange(height, dtype=top.dtype)[None, :, None]
    columns = jnp.arange(width, dtype=top.dtype)[None, None, :]
    top, bottom, left, right = (per_image(x, 2) for x in (top, bottom, left, right))
    inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return jnp.expand_dims(inside, _axes(data_format)[1])


@jax.jit
def blend(x, mix_weight, permutation_order):
    """weight * x + (1 - weight) * x[order], with one weight for each image."""
    weight = per_image(mix_weight, x.ndim - 1)
    if jnp.issubdtype(x.dtype, jnp.floating):
        weight = weight.astype(x.dtype)
    return weight * x + (1.0 - weight) * jnp.take(x, permutation_order, axis=0)


@jax.jit
def erase(images, apply_erasing, batch_masks, fill_value):
    """Fill the masked pixels of the chosen images."""
    fill = fill_value.astype(images.dtype)
    return jnp.where(per_image(apply_erasing) & batch_masks, fill, images)


@jax.jit
def paste(images, permutation_order, batch_masks, mix_weight):
    """Replace the masked pixels by those of x[order]."""
    return jnp.where(batch_masks, jnp.take(images, permutation_order, 0), images)

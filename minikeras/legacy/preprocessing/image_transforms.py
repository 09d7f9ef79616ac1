"""One image turned, shifted, sheared, zoomed, flipped and lit, by given or drawn sizes.

An image is an array with three axes; the draws are those of `np.random`.
"""

import functools

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.data.image_files import array_to_img, img_to_array, pillow

# Those of SciPy.
_FILL_MODES = """nearest constant reflect wrap mirror grid-wrap grid-mirror
    grid-constant""".split()


def affine_matrix(theta=0, tx=0, ty=0, shear=0, zx=1, zy=1):
    """Zoom, then shear, shift and rotation of (x, y, 1) about the origin, (3, 3)."""
    turn, lean = np.deg2rad(theta), np.deg2rad(shear)
    cos, sin = np.cos(turn), np.sin(turn)
    steps = (
        [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]],
        [[1, 0, tx], [0, 1, ty], [0, 0, 1]],
        [[1, -np.sin(lean), 0], [0, np.cos(lean), 0], [0, 0, 1]],
        [[zx, 0, 0], [0, zy, 0], [0, 0, 1]],
    )
    return functools.reduce(np.matmul, [np.array(step, float) for step in steps])


def _check_axes(x, row_axis, col_axis, channel_axis):
    axes = [row_axis, col_axis, channel_axis]
    if np.ndim(x) != 3 or sorted(axes) != [0, 1, 2] or channel_axis == 1:
        raise ValueError(
            "Expected an image with 3 axes, of which row_axis, col_axis and "
            f"channel_axis are each one and the channels first or last, but got shape "
            f"{np.shape(x)} and the axes {axes}."
        )


def apply_affine_transform(
    x, theta=0, tx=0, ty=0, shear=0, zx=1, zy=1, row_axis=1, col_axis=2, channel_axis=0,
    fill_mode="nearest", cval=0.0, order=1,
):  # fmt: skip
    """Zoom, shear, shift and turn an image: output pixels tell where they come from.

    Args:
        x: array of one image.
        theta, shear: degrees.
        tx, ty: pixels. For `row_axis < col_axis`, Keras and so we apply the matrix, and
            the centre that it turns about, to the axes the other way round.
        zx, zy: factors; below 1 they enlarge the image.
        row_axis, col_axis, channel_axis: which axis is which, from 0.
        fill_mode: "nearest", "constant", "reflect", "wrap": pixels outside.
        cval: value outside, for "constant".
        order: of the spline, 0 to 5.
    """
    _check_axes(x, row_axis, col_axis, channel_axis)
    if fill_mode not in _FILL_MODES:
        raise ValueError(f"fill_mode must be one of {_FILL_MODES}, not {fill_mode!r}.")
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return x
    x = np.asarray(x)
    y0, x0 = x.shape[row_axis] / 2 - 0.5, x.shape[col_axis] / 2 - 0.5
    matrix = affine_matrix(theta, tx, ty, shear, zx, zy)
    matrix = affine_matrix(tx=y0, ty=x0) @ matrix @ affine_matrix(tx=-y0, ty=-x0)
    if row_axis < col_axis:
        matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]
    turned = functools.partial(
        late_import("scipy.ndimage").affine_transform,
        matrix=matrix[:2, :2], offset=matrix[:2, 2], order=order, mode=fill_mode,
        cval=cval,
    )  # fmt: skip
    planes = [turned(plane) for plane in np.moveaxis(x, channel_axis, 0)]
    return np.moveaxis(np.stack(planes), 0, channel_axis)


def draw_within(limit):
    """A number between -limit and limit."""
    return np.random.uniform(-limit, limit)


def draw_zoom(zoom_range):
    """Both factors; a range of [1, 1] draws nothing."""
    low, high = zoom_range
    return (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)


def checked_range(name, value):
    """`value` if it is a pair, else ValueError."""
    if np.ndim(value) != 1 or len(value) != 2:
        raise ValueError(f"{name} must be a pair of floats, but is {value!r}.")
    return value


def random_rotation(
    x, rg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0,
    interpolation_order=1,
):  # fmt: skip
    """Turn an image by up to `rg` degrees.

    Args:
        x, row_axis, col_axis, channel_axis: as in `apply_affine_transform`.
        rg: degrees.
        fill_mode, cval, interpolation_order: as there.
    """
    look = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, draw_within(rg), 0, 0, 0, 1, 1, *look)


def random_shift(
    x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0,
    interpolation_order=1,
):  # fmt: skip
    """Shift an image by up to `wrg` of its width and `hrg` of its height.

    Args:
        x, row_axis, col_axis, channel_axis: as in `apply_affine_transform`.
        wrg, hrg: shares of the size.
        fill_mode, cval, interpolation_order: as there.
    """
    look = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    tx = draw_within(hrg) * x.shape[row_axis]
    ty = draw_within(wrg) * x.shape[col_axis]
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *look)


def random_shear(
    x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0,
    interpolation_order=1,
):  # fmt: skip
    """Shear an image by up to `intensity` degrees.

    Args:
        x, row_axis, col_axis, channel_axis: as in `apply_affine_transform`.
        intensity: degrees.
        fill_mode, cval, interpolation_order: as there.
    """
    look = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, 0, 0, 0, draw_within(intensity), 1, 1, *look)


def random_zoom(
    x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest",
    cval=0.0, interpolation_order=1,
):  # fmt: skip
    """Zoom an image, each axis by its own factor from `zoom_range`.

    Args:
        x, row_axis, col_axis, channel_axis: as in `apply_affine_transform`.
        zoom_range: pair of floats.
        fill_mode, cval, interpolation_order: as there.
    """
    look = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    zx, zy = draw_zoom(checked_range("zoom_range", zoom_range))
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *look)


def apply_channel_shift(x, intensity, channel_axis=0):
    """Add `intensity`, within the range of the values that the image has.

    Args:
        x: array of one image.
        intensity: float.
        channel_axis: the axis of the channels.
    """
    x = np.moveaxis(np.asarray(x), channel_axis, 0)
    planes = np.clip(np.ascontiguousarray(x) + intensity, x.min(), x.max())
    return np.moveaxis(planes, 0, channel_axis)


def random_channel_shift(x, intensity_range, channel_axis=0):
    """Add a number from [-`intensity_range`, `intensity_range`]: `apply_channel_shift`.

    Args:
        x, channel_axis: as there.
        intensity_range: float.
    """
    return apply_channel_shift(x, draw_within(intensity_range), channel_axis)


def apply_brightness_shift(x, brightness, scale=True):
    """Multiply the light of an image, by way of bytes in Pillow.

    Args:
        x: array of one image, with 1, 3 or 4 channels in the last axis.
        brightness: float; 0 is black, 1 changes nothing.
        scale: bool, whether the values first fill 0..255; False: they are kept, and
            scaled only if some lie outside, which the result then does too.
    """
    low, high = np.min(x), np.max(x)
    is_wider = not scale and (low < 0 or high > 255)
    pillow("apply_brightness_shift()")
    picture = array_to_img(x, scale=scale or is_wider)
    enhance = late_import("PIL.ImageEnhance").Brightness(picture).enhance
    x = np.array(img_to_array(enhance(brightness)))
    return x / 255 * (high - low) + low if is_wider else x


def random_brightness(x, brightness_range, scale=True):
    """Multiply the light by a number from a range: `apply_brightness_shift`.

    Args:
        x, scale: as there.
        brightness_range: pair of floats.
    """
    low, high = checked_range("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)


def flip_axis(x, axis):
    """The image with an axis reversed.

    Args:
        x: array.
        axis: int.
    """
    return np.flip(x, axis)

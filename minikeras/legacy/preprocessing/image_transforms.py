"""Affine, colour and brightness transforms of one image, and their random forms.

Everything is drawn from `np.random`, in Keras's order. SciPy is imported where used.
"""

import numpy as np

from minikeras.core.late_import import late_import
from minikeras.data.image_files import array_to_img, img_to_array, pillow

_FILL_MODES = ("nearest", "constant", "reflect", "wrap", "mirror")


def affine_matrix(theta=0, tx=0, ty=0, shear=0, zx=1, zy=1):
    """The 3x3 product of a rotation, a shift, a shear and a zoom; None for none."""
    angle, lean = np.deg2rad(theta), np.deg2rad(shear)
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]
    shift = [[1, 0, tx], [0, 1, ty], [0, 0, 1]]
    slant = [[1, -np.sin(lean), 0], [0, np.cos(lean), 0], [0, 0, 1]]
    zoom = [[zx, 0, 0], [0, zy, 0], [0, 0, 1]]
    wanted = (
        (theta != 0, rotation),
        (tx != 0 or ty != 0, shift),
        (shear != 0, slant),
        (zx != 1 or zy != 1, zoom),
    )
    matrix = None
    for is_wanted, factor in wanted:
        if is_wanted:
            factor = np.array(factor)
            matrix = factor if matrix is None else matrix @ factor
    return matrix


def about_centre(matrix, height, width):
    """The matrix that applies `matrix` about the middle of the image."""
    to_centre, back = np.eye(3), np.eye(3)
    to_centre[:2, 2] = height / 2 - 0.5, width / 2 - 0.5
    back[:2, 2] = -to_centre[:2, 2]
    return to_centre @ matrix @ back


def _check_axes(x, row_axis, col_axis, channel_axis):
    axes = {"row_axis": row_axis, "col_axis": col_axis, "channel_axis": channel_axis}
    if sorted(axes.values()) != [0, 1, 2] or channel_axis == 1:
        raise ValueError(
            "Expected row_axis, col_axis and channel_axis to be 0, 1 and 2 in any "
            f"order with channels first or last, but got {axes}."
        )
    if np.ndim(x) != 3:
        raise ValueError(
            f"Expected one image, an array of 3 axes, but got shape {np.shape(x)}."
        )


def apply_affine_transform(
    x, theta=0, tx=0, ty=0, shear=0, zx=1, zy=1, row_axis=1, col_axis=2, channel_axis=0,
    fill_mode="nearest", cval=0.0, order=1,
):  # fmt: skip
    """An image rotated, shifted, sheared and zoomed, about its middle.

    Args:
        x: NumPy array of one image.
        theta, shear: angles in degrees.
        tx, ty: shifts in pixels, along the second and the first axis of an image, so
            along columns and rows.
        zx, zy: zooms along the same axes; above 1 the image shrinks.
        row_axis, col_axis, channel_axis: the axes of `x`; channels are 0 or 2.
        fill_mode: "nearest", "constant", "reflect" or "wrap": points outside.
        cval: value outside, for "constant".
        order: order of the interpolating spline, 0 to 5.

    Returns:
        NumPy array of the shape of `x`.

    Raises:
        ValueError: wrong axes, no image or an unknown `fill_mode`.
        ImportError: SciPy is missing.
    """
    _check_axes(x, row_axis, col_axis, channel_axis)
    matrix = affine_matrix(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    if fill_mode not in _FILL_MODES:
        raise ValueError(f"fill_mode must be one of {_FILL_MODES}, not {fill_mode!r}.")
    matrix = about_centre(matrix, x.shape[row_axis], x.shape[col_axis])
    if col_axis > row_axis:  # Keras's x is then the axis of the columns
        matrix = matrix[[1, 0, 2]][:, [1, 0, 2]]
    options = {"order": order, "mode": fill_mode, "cval": cval}
    transform = _ndimage().affine_transform
    channels = [
        transform(channel, matrix[:2, :2], matrix[:2, 2], **options)
        for channel in np.moveaxis(x, channel_axis, 0)
    ]
    return np.moveaxis(np.stack(channels), 0, channel_axis)


def _ndimage():
    try:
        return late_import("scipy.ndimage")
    except ImportError as error:
        raise ImportError(
            "Could not import scipy, which rotations, shifts, shears and zooms of "
            "keras.preprocessing.image need: pip install scipy"
        ) from error


def random_rotation(
    x, rg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0,
    interpolation_order=1,
):  # fmt: skip
    """An image rotated by an angle from `[-rg, rg)`.

    Args:
        rg: degrees.
        x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order: as in
            `apply_affine_transform`, which has the last as `order`.
    """
    theta = np.random.uniform(-rg, rg)
    options = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *options)


def random_shift(
    x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0,
    interpolation_order=1,
):  # fmt: skip
    """An image shifted by up to the given shares of its size.

    Args:
        wrg: share of the width.
        hrg: share of the height.
        x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order: as in
            `apply_affine_transform`, which has the last as `order`.
    """
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    options = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *options)


def random_shear(
    x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0,
    interpolation_order=1,
):  # fmt: skip
    """An image sheared by an angle from `[-intensity, intensity)`.

    Args:
        intensity: degrees.
        x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order: as in
            `apply_affine_transform`, which has the last as `order`.
    """
    shear = np.random.uniform(-intensity, intensity)
    options = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *options)


def random_zoom(
    x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest",
    cval=0.0, interpolation_order=1,
):  # fmt: skip
    """An image zoomed along each axis by a factor from `zoom_range`.

    Args:
        zoom_range: pair of floats.
        x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order: as in
            `apply_affine_transform`, which has the last as `order`.

    Raises:
        ValueError: `zoom_range` is no pair.
    """
    zx, zy = draw_zoom(*checked_pair("zoom_range", zoom_range))
    options = row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *options)


def draw_zoom(low, high):
    """Two factors; without a draw where both can only be 1."""
    return (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)


def checked_pair(name, values):
    """The two floats; a ValueError that names the argument."""
    if not isinstance(values, (tuple, list, np.ndarray)) or len(values) != 2:
        raise ValueError(
            f"Expected {name} to be a tuple or list of two floats, but got {values!r}."
        )
    return values


def apply_channel_shift(x, intensity, channel_axis=0):
    """An image with a number added to all channels, within the range it had.

    Args:
        x: NumPy array of one image.
        intensity: float that is added.
        channel_axis: axis of the channels; the result is the same for each.

    Returns:
        NumPy array of the shape of `x`.
    """
    if not -np.ndim(x) <= channel_axis < np.ndim(x):
        raise ValueError(f"channel_axis={channel_axis} is no axis of {np.shape(x)}.")
    return np.clip(x + intensity, np.min(x), np.max(x))


def random_channel_shift(x, intensity_range, channel_axis=0):
    """`apply_channel_shift` by a number from `[-intensity_range, intensity_range)`.

    Args:
        x, channel_axis: as there.
        intensity_range: float.
    """
    intensity = np.random.uniform(-intensity_range, intensity_range)
    return apply_channel_shift(x, intensity, channel_axis)


def apply_brightness_shift(x, brightness, scale=True):
    """An image made brighter by Pillow, in 8 bits.

    Args:
        x: NumPy array of one image.
        brightness: factor; 0 is black, 1 the image.
        scale: bool, whether min and max of `x` first become 0 and 255. Values outside
            0..255 are always scaled; without `scale` they get their range back.

    Returns:
        NumPy array of the shape of `x`.

    Raises:
        ImportError: Pillow is missing.
    """
    pillow("apply_brightness_shift")
    low, high = np.min(x), np.max(x)
    is_outside = low < 0 or high > 255
    image = array_to_img(x, scale=scale or is_outside)
    enhancer = late_import("PIL.ImageEnhance").Brightness(image)
    x = img_to_array(enhancer.enhance(brightness))
    return x / 255 * (high - low) + low if is_outside and not scale else x


def random_brightness(x, brightness_range, scale=True):
    """`apply_brightness_shift` by a factor from `brightness_range`.

    Args:
        x, scale: as there.
        brightness_range: pair of floats.

    Raises:
        ValueError: `brightness_range` is no pair.
    """
    low, high = checked_pair("brightness_range", brightness_range)
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)


def flip_axis(x, axis):
    """An array in reverse order along one axis."""
    return np.flip(x, axis)

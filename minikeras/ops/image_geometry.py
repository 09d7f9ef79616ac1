"""Images whose pixels move: affine, perspective and elastic transforms."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy import ndimage

from minikeras.core import registry
from minikeras.core.loading import reserve
from minikeras.core.symbolic import op
from minikeras.ops.arguments import check_choice
from minikeras.ops.convert import as_array
from minikeras.ops.image_filters import blur
from minikeras.ops.image_layout import image_op
from minikeras.ops.keras_modules import IMAGE

__all__ = [
    "affine_transform", "elastic_transform", "map_coordinates", "perspective_transform",
]  # fmt: skip

_ORDERS = {"nearest": 0, "bilinear": 1}
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


@op(tensors=("inputs", "coordinates"), module=IMAGE)
def map_coordinates(inputs, coordinates, order, fill_mode="constant", fill_value=0):
    """The values of an array at places between its entries.

    Args:
        inputs: array of any rank.
        coordinates: (rank, *shape) array of places, in entries along each axis.
        order: 0 for the nearest entry, 1 for linear interpolation.
        fill_mode: values beyond the border: "constant" for `fill_value`, "nearest" for
            the last entry, "wrap" for the array repeated, "reflect" for the array
            mirrored with its last entry repeated, "mirror" without.
        fill_value: number.

    Returns:
        Array of `shape` and the dtype of `inputs`.

    Raises:
        ValueError: an unknown order or mode, or coordinates that do not fit.

    >>> map_coordinates([0.0, 10.0], [[0.25, 1.0]], 1).tolist()
    [2.5, 10.0]
    """
    inputs, coordinates = as_array(inputs), as_array(coordinates)
    if coordinates.ndim < 2:
        raise ValueError(
            "map_coordinates: Invalid coordinates rank: expected at least rank 2, got "
            f"coordinates.shape={coordinates.shape}."
        )
    if len(coordinates) != inputs.ndim:
        raise ValueError(
            "map_coordinates: the first size of `coordinates` must be the same as the "
            f"rank of `inputs`, got {coordinates.shape} and inputs of shape "
            f"{inputs.shape}."
        )
    check_choice("map_coordinates", "order", order, (0, 1))
    check_choice("map_coordinates", "fill_mode", fill_mode, _FILL_MODES)
    return ndimage.map_coordinates(
        inputs, list(coordinates), order, fill_mode, fill_value
    )


def sample(images, rows, columns, interpolation, fill_mode, fill_value):
    """Pixels of (n, h, w, c) at the places (n, h', w', c): an (n, h', w', c) array."""
    # JAX interpolates one array at a time: mapped over images and channels.

    def plane(pixels, *coordinates):
        order = _ORDERS[interpolation]
        return ndimage.map_coordinates(
            pixels, coordinates, order, fill_mode, fill_value
        )

    return jax.vmap(jax.vmap(plane, -1, -1))(images, rows, columns)


def _check(function, interpolation, fill_mode):
    check_choice(function, "interpolation", interpolation, _ORDERS)
    check_choice(function, "fill_mode", fill_mode, _FILL_MODES)


def _per_image(function, argument, values, images, shape):
    """The values as floats of shape (n, *shape), or (1, *shape) if all images share."""
    values = as_array(values)
    # Coordinates computed in integers would be truncated.
    values = values if jnp.issubdtype(values.dtype, jnp.inexact) else values * 1.0
    if values.ndim == len(shape):
        values = values[None]
    if values.shape != (len(images), *shape):
        raise ValueError(
            f"{function}: Invalid {argument} shape: expected {shape} for one image, or "
            f"({len(images)}, *{shape}) for the batch, got {values.shape}."
        )
    return values


@image_op(tensors=("images", "transform"))
def affine_transform(
    images,
    transform,
    interpolation="bilinear",
    fill_mode="constant",
    fill_value=0,
    data_format=None,
):
    """Affine transform of the coordinates of images.

    The new pixel (x, y) is the old one at (a₀x + a₁y + a₂, b₀x + b₁y + b₂).

    Args:
        images: (h, w, c) or (n, h, w, c) array, or channels first.
        transform: (8,) or (n, 8) array of a₀, a₁, a₂, b₀, b₁, b₂, c₀, c₁. As in Keras,
            the last two move channel k by k · c₁ and k · c₀ along x and y; set them to
            0.
        interpolation: "nearest" or "bilinear".
        fill_mode: values beyond the border: "constant" for `fill_value`, "nearest" for
            the last pixel, "wrap" for the image repeated, "reflect" for the image
            mirrored with its last pixel repeated, "mirror" without.
        fill_value: number.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the shape and dtype of `images`.

    Raises:
        ValueError: an unknown mode, or transforms that do not fit.

    >>> shift = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    >>> affine_transform([[[1.0], [2.0], [3.0]]], shift).ravel().tolist()
    [2.0, 3.0, 0.0]
    """
    _check("affine_transform", interpolation, fill_mode)
    transform = as_array(transform)
    if transform.ndim not in (1, 2):
        raise ValueError(
            "affine_transform: Invalid transform rank: expected rank 1 (one for one "
            f"image) or 2 (a batch), got transform.shape={transform.shape}."
        )
    values = _per_image("affine_transform", "transform", transform, images, (8,))
    a0, a1, a2, b0, b1, b2, c0, c1 = values.T[..., None, None, None]
    y, x, k = (i.astype(values.dtype) for i in jnp.indices(images.shape[1:]))
    rows = b1 * y + b0 * x + c0 * k + b2
    columns = a1 * y + a0 * x + c1 * k + a2
    return sample(images, rows, columns, interpolation, fill_mode, fill_value)


def homography(start, end):
    """Coefficients (n, 8) of the map that takes `end` to `start`, (n, 4, 2) each.

    x' = (h₀x + h₁y + h₂) / (h₆x + h₇y + 1), y' = (h₃x + h₄y + h₅) / (same).
    """
    (u, v), (x, y) = jnp.moveaxis(start, -1, 0), jnp.moveaxis(end, -1, 0)
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    for_u = jnp.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    for_v = jnp.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    # Each pair of points gives two equations, linear in h after multiplication with
    # the denominator.
    matrix = jnp.concatenate([for_u, for_v], axis=1)
    target = jnp.concatenate([u, v], axis=1)
    return jnp.linalg.solve(matrix, target[..., None])[..., 0]


@image_op(tensors=("images", "start_points", "end_points"))
def perspective_transform(
    images,
    start_points,
    end_points,
    interpolation="bilinear",
    fill_value=0,
    data_format=None,
):
    """Perspective transform that moves four start points to four end points.

    Args:
        images: (h, w, c) or (n, h, w, c) array, or channels first.
        start_points: (4, 2) or (n, 4, 2) array of pairs x, y in pixels.
        end_points: array of the shape of `start_points`.
        interpolation: "nearest" or "bilinear".
        fill_value: number for pixels from beyond the border.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the shape and dtype of `images`.

    Raises:
        ValueError: an unknown interpolation, or points that do not fit.

    >>> start, end = [[0, 0], [2, 0], [0, 2], [2, 2]], [[1, 0], [3, 0], [1, 2], [3, 2]]
    >>> image = jnp.array([[[1.0], [2.0], [3.0]]])
    >>> perspective_transform(image, start, end).ravel().round().tolist()
    [0.0, 1.0, 2.0]
    """
    _check("perspective_transform", interpolation, "constant")
    start, end = (
        _per_image("perspective_transform", argument, points, images, (4, 2))
        for argument, points in (
            ("start_points", start_points),
            ("end_points", end_points),
        )
    )
    h = homography(start.astype("float32"), end.astype("float32"))
    h = h.T[..., None, None, None]
    y, x = (i[..., None].astype(h.dtype) for i in jnp.indices(images.shape[1:3]))
    scale = h[6] * x + h[7] * y + 1.0
    columns = (h[0] * x + h[1] * y + h[2]) / scale
    rows = (h[3] * x + h[4] * y + h[5]) / scale
    rows, columns = (jnp.broadcast_to(i, images.shape) for i in (rows, columns))
    return sample(images, rows, columns, interpolation, "constant", fill_value)


@image_op
def elastic_transform(
    images,
    alpha=20.0,
    sigma=5.0,
    interpolation="bilinear",
    fill_mode="reflect",
    fill_value=0.0,
    seed=None,
    data_format=None,
):
    """Pixels moved by alpha times smoothed noise, by the same amount along both axes.

    Args:
        images: (h, w, c) or (n, h, w, c) float array, or channels first.
        alpha: number, strength of the movement.
        sigma: number, standard deviation of the noise and of its smoothing, in pixels.
        interpolation: "nearest" or "bilinear".
        fill_mode: values beyond the border: "constant" for `fill_value`, "nearest" for
            the last pixel, "wrap" for the image repeated, "reflect" for the image
            mirrored with its last pixel repeated, "mirror" without.
        fill_value: number.
        seed: int, `SeedGenerator`, or None for the global generator.
        data_format: "channels_last", "channels_first", or None for the global setting.

    Returns:
        Array of the shape and dtype of `images`.

    Raises:
        ValueError: an unknown interpolation or mode.

    >>> elastic_transform(jnp.ones((4, 4, 1)), seed=1).shape
    (4, 4, 1)
    """
    _check("elastic_transform", interpolation, fill_mode)
    # `random` imports `ops` (`threefry` is a function by platform), so that this file
    # cannot import it; and Keras's signature has no argument for the noise.
    normal: Any = registry.lookup("keras.random", "normal")
    # Three standard deviations on each side, and an odd number so that it has a middle.
    size = int(6 * sigma) | 1
    reserve(2_000 * size, f"smoothing with sigma={sigma}")  # a term for each weight
    alpha, sigma = (jnp.asarray(v, images.dtype) for v in (alpha, sigma))
    noise = normal(images.shape[:3], dtype=images.dtype, seed=seed) * sigma
    # Keras draws both displacements with one key: they are equal.
    shift = alpha * blur(noise[..., None], (size, size), (sigma, sigma))
    y, x = (i[..., None] for i in jnp.indices(images.shape[1:3]))
    rows, columns = (jnp.broadcast_to(i + shift, images.shape) for i in (y, x))
    return sample(images, rows, columns, interpolation, fill_mode, fill_value)

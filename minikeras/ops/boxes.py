"""Bounding boxes: formats, affine maps, intersections, offsets to anchors.

All functions take boxes as (..., 4) arrays. Work is done in the format xyxy: the left,
top, right and bottom border in pixels.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)  # fmt: skip


def _parts(boxes):
    return jnp.moveaxis(boxes, -1, 0)


def _to_corners(boxes, kind):
    """Boxes of an absolute format as left, top, right, bottom."""
    a, b, c, d = _parts(boxes)
    if kind == "xywh":
        return a, b, a + c, b + d
    if kind == "center_xywh":
        return a - c / 2, b - d / 2, a + c / 2, b + d / 2
    if kind == "center_yxhw":
        return b - d / 2, a - c / 2, b + d / 2, a + c / 2
    return (b, a, d, c) if kind == "yxyx" else (a, b, c, d)


def _from_corners(left, top, right, bottom, kind):
    """Left, top, right and bottom as boxes of an absolute format."""
    width, height = right - left, bottom - top
    if kind == "xywh":
        return left, top, width, height
    if kind == "center_xywh":
        return left + width / 2, top + height / 2, width, height
    if kind == "center_yxhw":
        return top + height / 2, left + width / 2, height, width
    if kind == "yxyx":
        return top, left, bottom, right
    return left, top, right, bottom


@functools.partial(jax.jit, static_argnames=("source", "target"))
def _convert(boxes, size, source, target):
    """`convert_format` of arrays; `size` is (height, width), each None if not known."""
    kinds = source.removeprefix("rel_"), target.removeprefix("rel_")
    scale = None
    if source.startswith("rel_") != target.startswith("rel_"):
        height, width = (jnp.asarray(n, boxes.dtype) for n in size)
        # A size for each image comes as (n, 1, 1) for boxes (n, k, 4).
        height, width = (n[..., 0] if n.ndim else n for n in (height, width))
        scale = width, height, width, height
    corners = _to_corners(boxes, kinds[0])
    if scale and source.startswith("rel_"):
        corners = [x * n for x, n in zip(corners, scale, strict=True)]
    if scale and target.startswith("rel_"):
        # Widths are differences of pixels divided by the size, as in Keras.
        parts = _from_corners(*corners, kind=kinds[1])
        order = (1, 0, 1, 0) if kinds[1] in ("yxyx", "center_yxhw") else (0, 1, 0, 1)
        parts = [x / scale[i] for x, i in zip(parts, order, strict=True)]
    else:
        parts = _from_corners(*corners, kind=kinds[1])
    return jnp.stack(parts, axis=-1)


def convert_format(boxes, source, target, height=None, width=None, dtype="float32"):
    """Change the format of boxes.

    The formats are "xyxy" (left, top, right, bottom), "yxyx" (top, left, bottom,
    right), "xywh" (left, top, width, height), "center_xywh" and "center_yxhw" (centre,
    then size), and with "rel_" before xyxy, yxyx, xywh or center_xywh: divided by the
    size of the image.

    Args:
        boxes: (..., 4) array, or dict with such an array as `boxes`.
        source: format of `boxes`, in any case.
        target: format of the result.
        height: number, height of the image; needed between relative and absolute.
        width: number, width of the image.
        dtype: float dtype of the result.

    Returns:
        Array of the shape of `boxes`, or a new dict.

    Raises:
        ValueError: an unknown format, no four numbers a box, or a size is missing.

    >>> convert_format([[1, 2, 4, 8]], "xyxy", "center_xywh").tolist()
    [[2.5, 5.0, 3.0, 6.0]]
    """
    if isinstance(boxes, dict):
        changed = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": changed}
    boxes = jnp.asarray(boxes, dtype)
    if boxes.ndim == 0 or boxes.shape[-1] != 4:
        raise ValueError(
            "`boxes` must be a tensor with the last dimension of 4. "
            f"Received: boxes.shape={boxes.shape}"
        )
    source, target = source.lower(), target.lower()
    if not {source, target} <= set(FORMATS):
        raise ValueError(
            f"Invalid source or target format: source={source!r}, target={target!r}. "
            f"Supported formats: {FORMATS}"
        )
    relative = "rel_" in source or "rel_" in target
    if relative and (height is None or width is None):
        raise ValueError(
            "convert_format() must receive `height` and `width` for relative formats. "
            f"Received source={source!r}, target={target!r}, height={height}, "
            f"width={width}."
        )
    if source == target:
        return boxes
    return _convert(boxes, (height, width), source, target)


@jax.jit
def _clip(boxes, labels, height, width):
    limit = jnp.asarray([width, height, width, height], boxes.dtype)
    boxes = jnp.clip(boxes, 0, limit)
    if labels is None:
        return boxes, None
    left, top, right, bottom = _parts(boxes)
    left_over = (right - left) * (bottom - top) > 0
    # Labels may be one number a box, or a row of scores.
    left_over = left_over.reshape(
        left_over.shape + (1,) * (labels.ndim - boxes.ndim + 1)
    )
    return boxes, jnp.where(left_over, labels, -1)


def clip_to_image_size(
    bounding_boxes, height=None, width=None, bounding_box_format="xyxy"
):
    """Cut boxes off at the borders of the image; boxes without area get the label -1.

    Args:
        bounding_boxes: dict of `boxes` (k, 4) or (n, k, 4), and `labels` (k,) or
            (n, k); without `labels` only boxes are cut.
        height: number, height of the image; not used for "rel_xyxy".
        width: number, width of the image; not used for "rel_xyxy".
        bounding_box_format: "xyxy" or "rel_xyxy".

    Returns:
        A new dict of the same entries.

    Raises:
        NotImplementedError: another format.
        ValueError: a size is missing.

    >>> boxes = {"boxes": [[-1.0, 0.0, 3.0, 9.0]], "labels": [7]}
    >>> clip_to_image_size(boxes, 4, 4)["boxes"].tolist()
    [[0.0, 0.0, 3.0, 4.0]]
    """
    _only(bounding_box_format, "clip_to_image_size", ("xyxy", "rel_xyxy"))
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    if height is None or width is None:
        raise ValueError(
            "`height` and `width` must be set if `bounding_box_format='xyxy'`, got "
            f"height={height}, width={width}."
        )
    boxes, labels = jnp.asarray(bounding_boxes["boxes"]), bounding_boxes.get("labels")
    labels = None if labels is None else jnp.asarray(labels)
    boxes, labels = _clip(boxes, labels, height, width)
    new = {"boxes": boxes} if labels is None else {"boxes": boxes, "labels": labels}
    return {**bounding_boxes, **new}


def _only(given, function, formats=("xyxy",)):
    if given not in formats:
        raise NotImplementedError(
            f"{function}: bounding_box_format must be one of {formats}, got {given!r}. "
            "Use `convert_format` before."
        )


def corner_points(boxes):
    """The corners (..., 4, 2) of boxes in xyxy, as pairs x, y."""
    left, top, right, bottom = _parts(boxes)
    x = jnp.stack([left, right, right, left], axis=-1)
    y = jnp.stack([top, top, bottom, bottom], axis=-1)
    return jnp.stack([x, y], axis=-1)


def around_points(points):
    """The smallest boxes (..., 4) in xyxy around points (..., m, 2)."""
    return jnp.concatenate([points.min(axis=-2), points.max(axis=-2)], axis=-1)


@jax.jit
def _affine(boxes, angle, shift, scale, shear, size, center):
    """`affine_transform` for boxes (n, k, 4); pairs are (x, y), the rest is (n,)."""
    turn, (shear_x, shear_y) = -jnp.radians(angle), (-jnp.radians(s) for s in shear)
    a = jnp.cos(turn - shear_y) / jnp.cos(shear_y)
    c = -jnp.sin(turn - shear_y) / jnp.cos(shear_y)
    b = a * jnp.tan(shear_x) + jnp.sin(turn)
    d = jnp.cos(turn) - c * jnp.tan(shear_x)
    # [[a, b], [c, d]] is a rotation and a shear of determinant 1; this is its inverse.
    matrix = jnp.stack([d, -b, -c, a], axis=-1).reshape(-1, 2, 2)
    matrix = matrix * jnp.asarray(scale)[..., None, None]
    last = [jnp.asarray(n, matrix.dtype) - 1 for n in size]
    middle, moved = (
        jnp.stack(jnp.broadcast_arrays(*(f * n for f, n in zip(p, last, strict=True))))
        for p in (center, shift)
    )
    middle, moved = (jnp.atleast_2d(p.T)[:, None, None] for p in (middle, moved))
    points = corner_points(boxes.astype(matrix.dtype)) - middle + moved
    return around_points(jnp.einsum("nij,nkcj->nkci", matrix, points) + middle)


def affine_transform(
    boxes,
    angle,
    translate_x,
    translate_y,
    scale,
    shear_x,
    shear_y,
    height,
    width,
    center_x=None,
    center_y=None,
    bounding_box_format="xyxy",
):
    """Rotate, move, scale and shear boxes about a centre.

    Each result is the smallest upright box around the moved corners of the box.

    Args:
        boxes: (k, 4) or (n, k, 4) array.
        angle: (n,) array or number, rotation in degrees.
        translate_x: (n,) array or number, shift to the left in widths of the image.
        translate_y: (n,) array or number, shift up in heights of the image.
        scale: (n,) array or number.
        shear_x: (n,) array or number, shear along x in degrees.
        shear_y: (n,) array or number, shear along y in degrees.
        height: number, height of the image.
        width: number, width of the image.
        center_x: number in [0, 1], the centre in widths; None for the middle.
        center_y: number in [0, 1], the centre in heights; None for the middle.
        bounding_box_format: must be "xyxy".

    Returns:
        Float array of the shape of `boxes`.

    Raises:
        NotImplementedError: another format.

    >>> affine_transform([[0, 0, 2, 2]], 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 5, 5).tolist()
    [[-2.0, -2.0, 2.0, 2.0]]
    """
    _only(bounding_box_format, "affine_transform")
    boxes = jnp.asarray(boxes)
    batch = boxes if boxes.ndim == 3 else boxes[None]
    number = [jnp.atleast_1d(jnp.asarray(v, "float32")) for v in (angle, scale)]
    center = tuple(0.5 if c is None else c for c in (center_x, center_y))
    out = _affine(
        batch, number[0], (translate_x, translate_y), number[1], (shear_x, shear_y),
        (width, height), center,
    )  # fmt: skip
    return out if boxes.ndim == 3 else out[0]


def crop(boxes, top, left, height, width, bounding_box_format="xyxy"):
    """Boxes in a window of the image, cut off at its borders.

    Args:
        boxes: (..., 4) array.
        top: number, upper border of the window.
        left: number, left border of the window.
        height: number, height of the window.
        width: number, width of the window.
        bounding_box_format: must be "xyxy".

    Returns:
        Array of the shape of `boxes`, measured from the corner of the window.

    Raises:
        NotImplementedError: another format.

    >>> crop([[1.0, 2.0, 9.0, 9.0]], top=1, left=2, height=5, width=5).tolist()
    [[0.0, 1.0, 5.0, 5.0]]
    """
    _only(bounding_box_format, "crop")
    boxes = jnp.asarray(boxes) - jnp.asarray([left, top, left, top])
    return jnp.clip(boxes, 0, jnp.asarray([width, height, width, height]))


def pad(boxes, top, left, height=None, width=None, bounding_box_format="xyxy"):
    """Boxes in an image to which rows and columns were added.

    Args:
        boxes: (..., 4) array.
        top: number of rows added above.
        left: number of columns added on the left.
        height: not used.
        width: not used.
        bounding_box_format: must be "xyxy".

    Returns:
        Array of the shape of `boxes`.

    Raises:
        NotImplementedError: another format.

    >>> pad([[1, 2, 3, 4]], top=10, left=20).tolist()
    [[21, 12, 23, 14]]
    """
    _only(bounding_box_format, "pad")
    return jnp.asarray(boxes) + jnp.asarray([left, top, left, top])


def as_boxes(bounding_boxes):
    """A new dict of float32 `boxes` and `labels` as arrays, checked.

    Args:
        bounding_boxes: dict of `boxes` and `labels`: arrays (k, 4) and (k, ...), or
            batches of them, or for both a list with an entry for each image. Images
            with fewer boxes get boxes of zeros with the label -1.

    Raises:
        ValueError: something else.
    """
    given = bounding_boxes
    if not isinstance(given, dict) or not {"boxes", "labels"} <= set(given):
        raise ValueError(
            "Expected `bounding_boxes` argument to be a dict with keys 'boxes' and "
            f"'labels'. Received: bounding_boxes={given}"
        )
    boxes, labels = given["boxes"], given["labels"]
    if isinstance(boxes, (list, tuple)):
        boxes, labels = _from_lists(boxes, labels)
    boxes, labels = jnp.asarray(boxes, "float32"), jnp.asarray(labels)
    fits = boxes.ndim in (2, 3) and boxes.shape[-1] == 4
    if not fits or labels.ndim not in (boxes.ndim - 1, boxes.ndim):
        raise ValueError(
            "Expected `bounding_boxes['boxes']` of shape (num_boxes, 4) or "
            "(batch_size, num_boxes, 4), and `bounding_boxes['labels']` of the same "
            "shape without, or with another, last axis. Received: "
            f"bounding_boxes['boxes'].shape={boxes.shape}, "
            f"bounding_boxes['labels'].shape={labels.shape}"
        )
    return {**given, "boxes": boxes, "labels": labels}


def _from_lists(boxes, labels):
    """Lists of the boxes and labels of images, or of one image, as arrays."""
    if not isinstance(labels, (list, tuple)) or len(boxes) != len(labels):
        raise ValueError(
            "If `bounding_boxes['boxes']` is a list, then `bounding_boxes['labels']` "
            f"must also be a list, of the same length {len(boxes)}. Received: "
            f"bounding_boxes['labels']={labels}"
        )
    if not any(np.ndim(b) == 2 for b in boxes):
        return np.reshape(np.asarray(boxes, "float32"), (-1, 4)), np.asarray(labels)
    shape = len(boxes), max(len(b) for b in boxes)
    all_boxes = np.zeros((*shape, 4), "float32")
    all_labels = np.full(shape, -1, "int32")
    for i, (some, their_labels) in enumerate(zip(boxes, labels, strict=True)):
        if len(some):
            all_boxes[i, : len(some)] = some
            all_labels[i, : len(some)] = their_labels
    return all_boxes, all_labels

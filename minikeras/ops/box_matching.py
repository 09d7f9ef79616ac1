"""Pairs of bounding boxes: intersections over unions, and offsets to anchors."""

import math

import jax.numpy as jnp

from minikeras import settings
from minikeras.ops.boxes import convert_format


def _size_of(image_shape):
    """(height, width) of an image shape (height, width, channels), or two None."""
    return (None, None) if image_shape is None else tuple(image_shape)[:2]


def _corners(boxes, box_format, function, image_shape):
    """Left, top, right and bottom of boxes, each (...)."""
    if "rel" in box_format and image_shape is None:
        raise ValueError(
            f"{function}: the relative bounding box format {box_format!r} needs "
            "`image_shape` (height, width, channels), got None."
        )
    boxes = convert_format(boxes, box_format, "xyxy", *_size_of(image_shape))
    return jnp.moveaxis(boxes, -1, 0)


def _overlap(box, other):
    """Area of the intersection of boxes given by their corners."""
    left, top = (jnp.maximum(box[i], other[i]) for i in (0, 1))
    right, bottom = (jnp.minimum(box[i], other[i]) for i in (2, 3))
    return jnp.maximum(right - left, 0) * jnp.maximum(bottom - top, 0)


def compute_iou(
    boxes1,
    boxes2,
    bounding_box_format,
    use_masking=False,
    mask_val=-1,
    image_shape=None,
):
    """Area of the intersection over that of the union, for all pairs of boxes.

    Args:
        boxes1: (m, 4) or (n, m, 4) array.
        boxes2: (k, 4) or (n, k, 4) array.
        bounding_box_format: format of both, see `convert_format`.
        use_masking: bool, whether pairs with a box of negative numbers only (a filler)
            get `mask_val`.
        mask_val: number.
        image_shape: (height, width, channels), needed for relative formats.

    Returns:
        Float array (m, k), or (n, m, k) if one of the arguments has a batch.

    Raises:
        ValueError: boxes of another rank, or no `image_shape` where it is needed.

    >>> compute_iou([[0, 0, 2, 2]], [[0, 0, 1, 4], [5, 5, 6, 6]], "xyxy").round(3)
    Array([[0.333, 0.   ]], dtype=float32)
    """
    boxes1, boxes2 = jnp.asarray(boxes1), jnp.asarray(boxes2)
    if not {boxes1.ndim, boxes2.ndim} <= {2, 3}:
        raise ValueError(
            "compute_iou() expects boxes of shape (m, 4) or (n, m, 4). Received: "
            f"boxes1.shape={boxes1.shape}, boxes2.shape={boxes2.shape}."
        )
    one = _corners(boxes1, bounding_box_format, "compute_iou", image_shape)[..., None]
    two = _corners(boxes2, bounding_box_format, "compute_iou", image_shape)
    two = two[..., None, :]
    both = _overlap(one, two)
    areas = ((b[2] - b[0]) * (b[3] - b[1]) for b in (one, two))
    iou = both / (sum(areas) - both + settings.epsilon())
    if not use_masking:
        return iou
    filler = (one.max(axis=0) < 0) | (two.max(axis=0) < 0)
    return jnp.where(filler, jnp.asarray(mask_val, iou.dtype), iou)


def compute_ciou(boxes1, boxes2, bounding_box_format, image_shape=None):
    """Complete IoU of boxes one by one: IoU - (d² / c² + v α).

    d is the distance of the centres, c the diagonal of the box around both, v = 4/π²
    (arctan w₂/h₂ - arctan w₁/h₁)² and α = v / (1 - IoU + v).

    Args:
        boxes1: (..., 4) array.
        boxes2: (..., 4) array that broadcasts to it.
        bounding_box_format: format of both, see `convert_format`.
        image_shape: (height, width, channels), needed for relative formats.

    Returns:
        Float array (...), at most 1.

    Raises:
        ValueError: no `image_shape` where it is needed.

    Source: Zheng et al. 2020, https://arxiv.org/abs/1911.08287.

    >>> compute_ciou([0, 0, 2, 2], [0, 0, 2, 2], "xyxy").round(3).tolist()
    1.0
    """
    one, two = (
        _corners(b, bounding_box_format, "compute_ciou", image_shape)
        for b in (boxes1, boxes2)
    )
    eps = settings.epsilon()
    (w1, h1), (w2, h2) = ((b[2] - b[0], b[3] - b[1] + eps) for b in (one, two))
    both = _overlap(one, two)
    iou = both / (w1 * h1 + w2 * h2 - both + eps + eps)
    wide, high = (
        jnp.maximum(one[i + 2], two[i + 2]) - jnp.minimum(one[i], two[i])
        for i in (0, 1)
    )
    apart = sum(((one[i] + one[i + 2] - two[i] - two[i + 2]) / 2) ** 2 for i in (0, 1))
    v = 4 / math.pi**2 * (jnp.arctan(w2 / h2) - jnp.arctan(w1 / h1)) ** 2
    alpha = v / (v - iou + (1 + eps))
    return iou - (apart / (wide**2 + high**2 + eps) + v * alpha)


def _anchor_arguments(name, variance, encoding):
    """The variance as an array of four numbers, or 1 for None; checked."""
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(
            f"`{name}` should be one of 'center_xywh' or 'center_yxhw', got {encoding}"
        )
    if variance is None:
        return 1.0
    variance = jnp.asarray(variance, "float32")
    if variance.shape[-1:] != (4,):
        raise ValueError(f"`variance` must be length 4, got {variance}")
    return variance


def encode_box_to_deltas(
    anchors,
    boxes,
    anchor_format,
    box_format,
    encoding_format="center_yxhw",
    variance=None,
    image_shape=None,
):
    """Offsets of boxes to anchors: centres (b - a) / size(a), sizes log(b / a).

    Args:
        anchors: (k, 4) array.
        boxes: (k, 4) or (n, k, 4) array.
        anchor_format: format of the anchors, see `convert_format`.
        box_format: format of the boxes.
        encoding_format: "center_yxhw" or "center_xywh", the order of the offsets.
        variance: four numbers that the offsets are divided by, or None.
        image_shape: (height, width, channels), needed for relative formats.

    Returns:
        Float array of the shape of `boxes`.

    Raises:
        ValueError: another `encoding_format`, or other than four variances.

    >>> encode_box_to_deltas([[0, 0, 2, 2]], [[1, 0, 3, 2]], "xyxy", "xyxy").tolist()
    [[0.0, 0.5, 0.0, 0.0]]
    """
    variance = _anchor_arguments("encoding_format", variance, encoding_format)
    size = _size_of(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, *size)
    boxes = convert_format(boxes, box_format, encoding_format, *size)
    extent, box_extent = (
        jnp.maximum(b[..., 2:], settings.epsilon()) for b in (anchors, boxes)
    )
    centres = (boxes[..., :2] - anchors[..., :2]) / extent
    sizes = jnp.log(box_extent / extent)
    return jnp.concatenate([centres, sizes], axis=-1) / variance


def decode_deltas_to_boxes(
    anchors,
    boxes_delta,
    anchor_format,
    box_format,
    encoded_format="center_yxhw",
    variance=None,
    image_shape=None,
):
    """Boxes at the offsets to anchors that `encode_box_to_deltas` returns.

    Args:
        anchors: (k, 4) array, or a dict of them by level.
        boxes_delta: (k, 4) or (n, k, 4) array, or a dict with the same keys.
        anchor_format: format of the anchors, see `convert_format`.
        box_format: format of the result.
        encoded_format: "center_yxhw" or "center_xywh", the order of the offsets.
        variance: four numbers that the offsets are multiplied by, or None.
        image_shape: (height, width, channels), needed for relative formats.

    Returns:
        Float array of the shape of `boxes_delta`, or a dict of them.

    Raises:
        ValueError: another `encoded_format`, or other than four variances.

    >>> anchors, deltas = [[0, 0, 2, 2]], [[0.0, 0.5, 0.0, 0.0]]
    >>> decode_deltas_to_boxes(anchors, deltas, "xyxy", "xyxy").tolist()
    [[1.0, 0.0, 3.0, 2.0]]
    """
    scale = _anchor_arguments("encoded_format", variance, encoded_format)
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        rest = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {
            level: decode_deltas_to_boxes(anchor, boxes_delta[level], *rest)
            for level, anchor in anchors.items()
        }
    size = _size_of(image_shape)
    anchors = convert_format(anchors, anchor_format, encoded_format, *size)
    deltas, extent = jnp.asarray(boxes_delta) * scale, anchors[..., 2:]
    centres = deltas[..., :2] * extent + anchors[..., :2]
    boxes = jnp.concatenate([centres, jnp.exp(deltas[..., 2:]) * extent], axis=-1)
    return convert_format(boxes, encoded_format, box_format, *size)

"""`keras.utils.bounding_boxes`: functions of bounding boxes."""

from minikeras.ops.box_matching import (
    compute_ciou,
    compute_iou,
    decode_deltas_to_boxes,
    encode_box_to_deltas,
)
from minikeras.ops.boxes import (
    affine_transform,
    clip_to_image_size,
    convert_format,
    crop,
    pad,
)

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]

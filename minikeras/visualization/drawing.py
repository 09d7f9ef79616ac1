"""Boxes and masks drawn into images, with Pillow and NumPy."""

from typing import Any

import numpy as np

from minikeras import settings
from minikeras.core.late_import import late_import
from minikeras.ops.boxes import convert_format

# A letter of Keras's font, Hershey of OpenCV, has this height at `font_scale=1`.
_FONT_PIXELS = 22
_TEXT_GAP = 8  # pixels between a box and its label


def channels_last(images: Any, data_format: str | None) -> tuple[np.ndarray, bool]:
    """(images as NumPy array with the channels last, were they first?).

    Args:
        images: array of rank 4.
        data_format: "channels_last", "channels_first", or None for the setting.

    Raises:
        ValueError: another rank.
    """
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(
            f"`images` must be batched 4D tensor. Received: images.shape={images.shape}"
        )
    first = (data_format or settings.image_data_format()) == "channels_first"
    return (images.transpose(0, 2, 3, 1) if first else images), first


def range_of(images: np.ndarray) -> tuple[float, float]:
    """(black, white) of images: 0..255, 0..1, or the least and the largest value.

    >>> range_of(np.array([0.0, 0.9])), range_of(np.array([-1.0, 1.0]))
    ((0.0, 1.0), (-1.0, 1.0))
    """
    values = np.asarray(images)
    if values.dtype == "uint8":
        return 0.0, 255.0
    values = values.astype("float32")
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    if low >= 0 and (high <= 1 or 2 < high <= 255):
        return 0.0, 1.0 if high <= 1 else 255.0
    return float(low), float(high)


def as_pixels(image: np.ndarray, value_range: tuple | None = None) -> np.ndarray:
    """An image (height, width, channels) as (height, width, 3) bytes.

    One channel becomes grey, of two the first, of four or more the first three stay.
    What is no finite number is black.

    Args:
        image: array.
        value_range: (black, white); None: `range_of(image)`.
    """
    low, high = value_range or range_of(image)
    scaled = (np.asarray(image, "float32") - low) * (255 / ((high - low) or 1))
    scaled = np.clip(np.nan_to_num(scaled), 0, 255).round().astype("uint8")
    channels = scaled.shape[-1]
    return scaled[..., :3] if channels >= 3 else scaled[..., :1].repeat(3, axis=-1)


def _as_bytes(images):
    """Images in 0..1 or 0..255 as uint8, in memory of their own."""
    if images.dtype.kind == "f" and images.size:
        scale = 255 if images.max() <= 1 else 1
        images = np.clip(images * scale, 0, 255)
    return images.astype("uint8")


def draw_bounding_boxes(
    images,
    bounding_boxes,
    bounding_box_format,
    class_mapping=None,
    color=(128, 128, 128),
    line_thickness=2,
    text_thickness=1,
    font_scale=1.0,
    data_format=None,
):
    """Draw boxes, and the names of their classes, into images.

    Pillow draws, where Keras uses OpenCV: lines and letters differ by a pixel or so.

    Args:
        images: (batch, height, width, channels) array, in 0..255, or floats in 0..1.
        bounding_boxes: dict of "boxes", (batch, n, 4), and "labels", (batch, n), -1 for
            a place without a box; "confidences", (batch, n), may be there, too.
        bounding_box_format: string such as "xyxy": see
            `keras.utils.bounding_boxes.convert_format`.
        class_mapping: {label: name}; boxes of other labels have no name.
        color: (red, green, blue), each in 0..255.
        line_thickness: int, in pixels.
        text_thickness: int, thickness of the letters.
        font_scale: float, size of the letters; at 1 they are 22 pixels high.
        data_format: "channels_last" or "channels_first"; None: the setting.

    Returns:
        uint8 array of NumPy in the shape of `images`.

    Raises:
        ValueError: `images` is not of rank 4, or "boxes" or "labels" are missing.
        TypeError: `bounding_boxes` is no dict.
        ImportError: Pillow is not installed.

    >>> image = np.zeros((1, 8, 8, 3), "uint8")
    >>> boxes = {"boxes": np.array([[[1, 1, 6, 6]]]), "labels": np.array([[0]])}
    >>> keras.visualization.draw_bounding_boxes(image, boxes, "xyxy").max()
    np.uint8(128)
    """
    if not isinstance(bounding_boxes, dict):
        raise TypeError(
            "`bounding_boxes` should be a dict. Received: bounding_boxes="
            f"{bounding_boxes} of type {type(bounding_boxes)}"
        )
    if not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(
            "`bounding_boxes` should be a dict containing 'boxes' and 'labels' keys. "
            f"Received: bounding_boxes={bounding_boxes}"
        )
    pixels, first = channels_last(images, data_format)
    height, width = pixels.shape[1:3]
    boxes = convert_format(
        np.asarray(bounding_boxes["boxes"], "float32"),
        bounding_box_format, "xyxy", height, width,
    )  # fmt: skip
    boxes = np.asarray(boxes).astype(int)
    labels = np.asarray(bounding_boxes["labels"]).astype(int)
    scores = bounding_boxes.get("confidences")
    style = (tuple(color), line_thickness, text_thickness or line_thickness, font_scale)
    drawn = []
    for i, image in enumerate(_as_bytes(pixels)):
        names = [(class_mapping or {}).get(int(label)) for label in labels[i]]
        if scores is not None:
            rated = zip(names, np.asarray(scores[i]).tolist(), strict=True)
            names = [name and f"{name} | {score:.2f}" for name, score in rated]
        seen = labels[i] != -1
        found = [(b, n) for b, n, s in zip(boxes[i], names, seen, strict=True) if s]
        drawn.append(_with_boxes(image, found, *style))
    result = np.stack(drawn)
    return result.transpose(0, 3, 1, 2) if first else result


def _with_boxes(image, boxes, color, thickness, text_thickness, font_scale):
    """An image (height, width, channels) with [(box, name or None)] drawn into it."""
    pillow = {name: late_import(f"PIL.{name}") for name in ("Image", "ImageDraw")}
    fonts = late_import("PIL.ImageFont")
    channels = image.shape[-1]
    picture = pillow["Image"].fromarray(image[..., 0] if channels == 1 else image)
    draw = pillow["ImageDraw"].Draw(picture)
    font = fonts.load_default(_FONT_PIXELS * font_scale)
    ink = color if channels > 1 else int(np.mean(color))
    grow = thickness // 2  # the line's middle is the edge of the box
    for box, name in boxes:
        left, right = sorted(int(x) for x in box[::2])
        top, bottom = sorted(int(y) for y in box[1::2])
        outline = [left - grow, top - grow, right + grow, bottom + grow]
        draw.rectangle(outline, outline=ink, width=thickness)
        if name is not None:
            above = top - _TEXT_GAP - _FONT_PIXELS * font_scale > 0
            place = top - _TEXT_GAP if above else top + 3 + _FONT_PIXELS * font_scale
            where = (left if above else left + 3, place)
            stroke = max(text_thickness - 1, 0)
            draw.text(where, str(name), ink, font, "ls", stroke_width=stroke)
    return np.asarray(picture).reshape(image.shape)


def _palette(num_classes):
    """Colours of classes, far apart; class 0 is black."""
    steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return {i: ((i * steps) % 255).tolist() for i in range(num_classes)}


def draw_segmentation_masks(
    images,
    segmentation_masks,
    num_classes=None,
    color_mapping=None,
    alpha=0.8,
    blend=True,
    ignore_index=-1,
    data_format=None,
):
    """Colour the pixels of images by their classes.

    A pixel becomes image * (1 - alpha) + colour * alpha.

    Args:
        images: (batch, height, width, channels) array, in 0..255.
        segmentation_masks: (batch, height, width) or (batch, height, width, 1) ints,
            the class of each pixel.
        num_classes: int, the classes drawn are 0..num_classes - 1; None: all. (Keras
            leaves the largest class out then.)
        color_mapping: {class: (red, green, blue)}; None: a palette.
        alpha: float in [0, 1], share of the colour.
        blend: bool; False draws the plain colours, and gives floats.
        ignore_index: class that is not drawn, when `blend` is True.
        data_format: "channels_last" or "channels_first"; None: the setting. Both arrays
            have it; the result has the channels last.

    Returns:
        uint8 array of NumPy, (batch, height, width, channels); float32 without `blend`.

    Raises:
        ValueError: `images` is not of rank 4.
        TypeError: masks that are no ints.

    >>> images, masks = np.zeros((1, 2, 2, 3)), np.array([[[0, 1], [0, 1]]])
    >>> keras.visualization.draw_segmentation_masks(images, masks)[0, 0].tolist()
    [[0, 0, 0], [0, 101, 24]]
    """
    images, first = channels_last(images, data_format)
    images, masks = images.astype("float32"), np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(
            "`segmentation_masks` must be in integer dtype. "
            f"Received: segmentation_masks.dtype={masks.dtype}"
        )
    if masks.ndim == 4:
        masks = masks[:, 0] if first else masks[..., 0]
    if num_classes is None:
        num_classes = int(masks.max()) + 1
    colors = _palette(num_classes) if color_mapping is None else color_mapping
    drawn = images.copy()
    for number in range(num_classes):
        if number in colors:
            drawn[masks == number] = np.asarray(colors[number], "float32")
    if not blend:
        return drawn
    mixed = images * (1 - alpha) + drawn * alpha
    return np.where((masks != ignore_index)[..., None], mixed, images).astype("uint8")

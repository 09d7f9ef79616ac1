"""Galleries of images, with boxes, masks or labels, drawn with matplotlib."""

import math

import numpy as np

from minikeras.saving.figures import matplotlib_module
from minikeras.visualization.drawing import (
    channels_last,
    draw_bounding_boxes,
    draw_segmentation_masks,
)


def plot_image_gallery(
    images,
    y_true=None,
    y_pred=None,
    label_map=None,
    rows=None,
    cols=None,
    value_range=(0, 255),
    scale=2,
    path=None,
    show=None,
    transparent=True,
    dpi=60,
    legend_handles=None,
    data_format=None,
):
    """Show images in rows and columns.

    Args:
        images: (batch, height, width, channels) array.
        y_true, y_pred: (batch,) labels and predicted labels, for the titles.
        label_map: {label: name}, which titles need.
        rows, cols: ints; None: as many as make a square. Images beyond are left out.
        value_range: (least, largest) value of a pixel.
        scale: float, inches of an image.
        path: file to write; None shows the gallery.
        show: bool, whether to show it; None: unless there is a path.
        transparent: bool, whether the background of the file is transparent.
        dpi: dots per inch of the file.
        legend_handles: list of `Patch`es of matplotlib for a legend.
        data_format: "channels_last" or "channels_first"; None: the setting.

    Raises:
        ValueError: `images` is not of rank 4, `path` and `show`, or labels without
            `label_map`.
        ImportError: matplotlib is not installed.

    >>> keras.visualization.plot_image_gallery(np.zeros((4, 8, 8, 3)), show=False)
    """
    plt = matplotlib_module("plot_image_gallery", "pyplot")
    if path is not None and show:
        raise ValueError("plot_image_gallery: pass `path`, or `show=True`, not both.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError(
            "If `y_true` or `y_pred` are provided, a `label_map` must also be provided."
        )
    pixels, _ = channels_last(images, data_format)
    rows = rows or math.ceil(math.sqrt(len(pixels)))
    cols = cols or math.ceil(len(pixels) / rows)
    low, high = value_range
    pixels = (pixels.astype("float32") - low) * (255 / (high - low))
    pixels = np.clip(pixels, 0, 255).astype("uint8")
    figure, axes = plt.subplots(
        rows, cols, figsize=(cols * scale, rows * scale), frameon=False, squeeze=False,
        layout="tight", sharex="row", sharey="col",
    )  # fmt: skip
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for i, axis in enumerate(axes.ravel()):
        axis.axis("off")
        if i < len(pixels):
            axis.imshow(pixels[i, ..., 0] if pixels.shape[-1] == 1 else pixels[i])
            axis.margins(x=0, y=0)
            axis.set_title(_title(i, y_true, y_pred, label_map), fontsize=8)
    if path is not None:
        options = {"pad_inches": 0, "bbox_inches": "tight", "dpi": dpi}
        figure.savefig(path, transparent=transparent, **options)
    elif show or show is None:
        plt.show()
    plt.close(figure)


def _title(i, y_true, y_pred, label_map):
    parts = [
        f"{word}: {label_map.get(np.asarray(labels)[i].item(), 'Unknown')}"
        for word, labels in (("Label", y_true), ("Pred", y_pred))
        if labels is not None and i < len(labels)
    ]
    return "  ".join(parts)


def plot_bounding_box_gallery(
    images,
    bounding_box_format,
    y_true=None,
    y_pred=None,
    value_range=(0, 255),
    true_color=(0, 188, 212),
    pred_color=(255, 235, 59),
    line_thickness=2,
    font_scale=1.0,
    text_thickness=None,
    class_mapping=None,
    ground_truth_mapping=None,
    prediction_mapping=None,
    legend=False,
    legend_handles=None,
    rows=None,
    cols=None,
    data_format=None,
    **kwargs,
):
    """Show images with true and predicted boxes.

    Args:
        images: (batch, height, width, channels) array.
        bounding_box_format: string such as "xyxy".
        y_true, y_pred: boxes, as `draw_bounding_boxes` takes them.
        value_range: (least, largest) value of a pixel.
        true_color, pred_color: (red, green, blue), each in 0..255.
        line_thickness, font_scale, text_thickness: as of `draw_bounding_boxes`.
        class_mapping: {label: name}.
        ground_truth_mapping, prediction_mapping: the same, of one kind of boxes.
        legend: bool, whether to say which colour is which.
        legend_handles: list of `Patch`es of matplotlib, for a legend of one's own.
        rows, cols: ints, of the gallery.
        data_format: "channels_last" or "channels_first"; None: the setting.
        **kwargs: further arguments of `plot_image_gallery`.

    Raises:
        ValueError: `images` is not of rank 4, or `legend` and `legend_handles`.
        ImportError: matplotlib or Pillow is not installed.
    """
    patches = matplotlib_module("plot_bounding_box_gallery", "patches")
    pixels, _ = channels_last(images, data_format)
    pixels = (pixels.astype("float32") - value_range[0]) * (
        255 / (value_range[1] - value_range[0])
    )
    pixels = np.clip(pixels, 0, 255).astype("uint8")
    for boxes, color, names in (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    ):
        if boxes is not None:
            pixels = draw_bounding_boxes(
                pixels, boxes, bounding_box_format, names, color, line_thickness,
                text_thickness, font_scale, "channels_last",
            )  # fmt: skip
    if legend:
        if legend_handles:
            raise ValueError(
                "Only pass `legend` OR `legend_handles` to plot_bounding_box_gallery()."
            )
        legend_handles = [
            patches.Patch(color=np.array(color) / 255, label=label)
            for color, label in (
                (true_color, "Ground Truth"), (pred_color, "Prediction")
            )
        ]  # fmt: skip
    plot_image_gallery(
        pixels, rows=rows, cols=cols, legend_handles=legend_handles,
        data_format="channels_last", **kwargs,
    )  # fmt: skip


def plot_segmentation_mask_gallery(
    images,
    num_classes,
    value_range=(0, 255),
    y_true=None,
    y_pred=None,
    color_mapping=None,
    blend=True,
    alpha=0.8,
    ignore_index=-1,
    data_format=None,
    **kwargs,
):
    """Show images beside their true and predicted masks, a row for each.

    Args:
        images: (batch, height, width, channels) array.
        num_classes: int, the classes drawn are 0..num_classes - 1.
        value_range: (least, largest) value of a pixel.
        y_true, y_pred: masks, as `draw_segmentation_masks` takes them.
        color_mapping, blend, alpha, ignore_index: as of `draw_segmentation_masks`.
        data_format: "channels_last" or "channels_first"; None: the setting.
        **kwargs: further arguments of `plot_image_gallery`.

    Raises:
        ValueError: `images` is not of rank 4.
        ImportError: matplotlib is not installed.
    """
    pixels, first = channels_last(images, data_format)
    columns = [pixels]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = np.asarray(masks).astype("int32")
            masks = masks[:, 0] if first and masks.ndim == 4 else masks
            columns.append(
                draw_segmentation_masks(
                    pixels, masks, num_classes, color_mapping, alpha, blend,
                    ignore_index, "channels_last",
                )
            )  # fmt: skip
    gallery = np.stack(columns, axis=1).reshape(-1, *pixels.shape[1:])
    plot_image_gallery(
        gallery, value_range=value_range, rows=len(pixels), cols=len(columns),
        data_format="channels_last", **kwargs,
    )  # fmt: skip

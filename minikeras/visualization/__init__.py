"""`keras.visualization`: pictures of images, boxes and masks."""

from minikeras.core import registry
from minikeras.visualization.drawing import draw_bounding_boxes
from minikeras.visualization.drawing import draw_segmentation_masks
from minikeras.visualization.galleries import plot_bounding_box_gallery
from minikeras.visualization.galleries import plot_image_gallery
from minikeras.visualization.galleries import plot_segmentation_mask_gallery

__all__ = [
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]
registry.register_all("keras.visualization", globals())

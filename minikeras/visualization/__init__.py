"""`keras.visualization`: pictures of images, predictions and what models look at."""

from minikeras.core import registry
from minikeras.visualization.class_activation import grad_cam
from minikeras.visualization.class_activation import plot_grad_cam
from minikeras.visualization.confusion_matrix import plot_confusion_matrix
from minikeras.visualization.drawing import draw_bounding_boxes
from minikeras.visualization.drawing import draw_segmentation_masks
from minikeras.visualization.filters import plot_filters
from minikeras.visualization.galleries import plot_bounding_box_gallery
from minikeras.visualization.galleries import plot_image_gallery
from minikeras.visualization.galleries import plot_segmentation_mask_gallery
from minikeras.visualization.layer_pictures import plot_layer_outputs
from minikeras.visualization.predictions import plot_predictions

__all__ = [
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "grad_cam",
    "plot_bounding_box_gallery",
    "plot_confusion_matrix",
    "plot_filters",
    "plot_grad_cam",
    "plot_image_gallery",
    "plot_layer_outputs",
    "plot_predictions",
    "plot_segmentation_mask_gallery",
]
registry.register_all("keras.visualization", globals())

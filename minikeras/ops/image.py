"""`keras.ops.image`: images transformed."""

from minikeras.ops.image_colour import (
    hsv_to_rgb,
    rgb_to_grayscale,
    rgb_to_hsv,
)
from minikeras.ops.image_filters import (
    gaussian_blur,
    sobel_edges,
    ssim,
)
from minikeras.ops.image_geometry import (
    affine_transform,
    elastic_transform,
    map_coordinates,
    perspective_transform,
)
from minikeras.ops.image_patches import (
    extract_patches,
    extract_patches_3d,
)
from minikeras.ops.image_sizes import (
    crop_images,
    pad_images,
    resize,
    scale_and_translate,
)

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]

"""`keras.preprocessing`: data sets from folders, images and sequences."""

from minikeras.preprocessing import image
from minikeras.preprocessing import sequence
from minikeras.data.from_directory import image_dataset_from_directory
from minikeras.data.from_directory import text_dataset_from_directory
from minikeras.data.from_directory import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]

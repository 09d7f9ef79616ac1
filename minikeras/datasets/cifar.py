"""The files of CIFAR-10 and CIFAR-100: pickles of rows of 3 x 32 x 32 bytes."""

import os

import numpy as np

from minikeras.datasets.array_pickles import load_arrays
from minikeras.datasets.download import dataset_file
from minikeras.settings import image_data_format

_ORIGIN = "https://www.cs.toronto.edu/~kriz/"


def folder_of(name: str, archive: str, file_hash: str, inner: str) -> str:
    """The folder `inner` of the extracted archive."""
    origin = _ORIGIN + archive
    return os.path.join(dataset_file(name, origin, file_hash, extract=True), inner)


def load_batches(folder: str, names: list[str], label_key: str) -> tuple:
    """(images in the layout of `image_data_format()`, labels (n, 1)) of some files."""
    images, labels = [], []
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            batch = load_arrays(file.read())
        images.append(batch[b"data"].reshape(-1, 3, 32, 32))
        labels += batch[label_key.encode()]
    x = np.concatenate(images)
    if image_data_format() == "channels_last":
        x = x.transpose(0, 2, 3, 1)
    return x, np.reshape(labels, (-1, 1))

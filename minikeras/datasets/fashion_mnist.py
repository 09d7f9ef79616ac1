"""70,000 pictures of clothes of 28 x 28 pixels, in ten classes."""

import gzip
import os

import numpy as np

from minikeras.datasets.download import dataset_file

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def load_data():
    """Load Fashion-MNIST.

    Keras knows no hashes of these four files, so none are checked.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, uint8: images (60000, 28, 28) and
        (10000, 28, 28) in [0, 255]; labels 0 T-shirt, 1 trouser, 2 pullover, 3 dress,
        4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.

    Source: H. Xiao, K. Rasul and R. Vollgraf, arXiv:1708.07747; Zalando SE, MIT.
    """
    return _part("train"), _part("t10k")


def _part(name):
    labels = _bytes(f"{name}-labels-idx1-ubyte.gz", header=8)
    images = _bytes(f"{name}-images-idx3-ubyte.gz", header=16)
    return images.reshape(len(labels), 28, 28), labels


def _bytes(name, header):
    """The content of an IDX file after its header."""
    folder = os.path.join("datasets", "fashion-mnist")
    path = dataset_file(name, _ORIGIN + name, None, cache_subdir=folder)
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)

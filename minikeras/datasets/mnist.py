"""70,000 handwritten digits of 28 x 28 pixels."""

import numpy as np

from minikeras.datasets.download import dataset_file

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path="mnist.npz"):
    """Load MNIST.

    Args:
        path: name of the file in the cache.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, uint8: images (60000, 28, 28) and
        (10000, 28, 28) in [0, 255], and digits.

    Source: Y. LeCun and C. Cortes, CC BY-SA 3.0.
    """
    with np.load(dataset_file(path, _ORIGIN, _HASH), allow_pickle=False) as arrays:
        return (
            (arrays["x_train"], arrays["y_train"]),
            (arrays["x_test"], arrays["y_test"]),
        )

"""The UCI handwritten digits, bundled with the package."""

from importlib import resources

import numpy as np


def load_data() -> tuple:
    """Load the UCI handwritten digits: 1,797 images of 8 x 8 pixels.

    Nothing is downloaded: the data is part of the package (46 KiB). A pixel is the
    number of set bits in a 4 x 4 block of a 32 x 32 scan, so division by 16 gives
    images in [0, 1]. The split is fixed: every fifth sample of each class is test
    data, so both parts have nearly equal numbers of all ten classes. Both parts have
    digits of the same writers.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, NumPy arrays of uint8:
        images of shape (1438, 8, 8) and (359, 8, 8), integers 0..16;
        labels of shape (1438,) and (359,), integers 0..9.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits"
    (test part), UCI Machine Learning Repository, 1998, doi:10.24432/C50P49, under
    the Creative Commons Attribution 4.0 licence (CC BY 4.0); taken from
    scikit-learn's copy, unchanged except for split and order.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, int(x_train.max()), y_test.shape
    ((1438, 8, 8), 16, (359,))
    """
    file = resources.files("minikeras.datasets").joinpath("digits.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as data:
        return (
            (data["x_train"], data["y_train"]),
            (data["x_test"], data["y_test"]),
        )

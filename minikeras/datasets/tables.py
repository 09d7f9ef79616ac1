"""What the tables of houses share: one file of `x` and `y`, shuffled and split."""

import numpy as np

from minikeras.datasets.download import dataset_file

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def load_table(
    path: str, name: str, file_hash: str, test_split: float, seed, rows: int | None
) -> tuple:
    """`(x_train, y_train), (x_test, y_test)` of the first `rows` rows, shuffled."""
    if not 0 <= test_split < 1:
        raise ValueError(
            f"Invalid `test_split` argument: {test_split}. Expected a float >= 0 and "
            "< 1."
        )
    file = dataset_file(path, f"{ORIGIN}{name}", file_hash)
    with np.load(file, allow_pickle=False) as arrays:
        x, y = arrays["x"][:rows], arrays["y"][:rows]
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    n = int(len(x) * (1 - test_split))
    return (x[order[:n]], y[order[:n]]), (x[order[n:]], y[order[n:]])

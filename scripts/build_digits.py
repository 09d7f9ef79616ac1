"""Build minikeras/datasets/digits.npz from scikit-learn's copy of the UCI digits.

Needs scikit-learn, which minikeras itself does not: `pip install scikit-learn`.
Running it again writes the same bytes.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).parent.parent / "minikeras" / "datasets" / "digits.npz"


def split(labels, every=5, first=2):
    """Mark every fifth sample of each class, in the source's order, as test."""
    test = np.zeros(len(labels), bool)
    for digit in np.unique(labels):
        test[np.flatnonzero(labels == digit)[first::every]] = True
    return test


def main():
    source = load_digits()
    images, labels = source.images.astype("uint8"), source.target.astype("uint8")
    assert np.array_equal(images, source.images) and images.max() == 16
    test = split(labels)
    # Mixed once: the source runs writer by writer, and `validation_split` takes
    # the last part of what it is given.
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = order[~test[order]], order[test[order]]
    np.savez_compressed(
        TARGET,
        x_train=images[train],
        y_train=labels[train],
        x_test=images[test],
        y_test=labels[test],
    )
    print(f"{TARGET}: {len(train)} + {len(test)} samples")


if __name__ == "__main__":
    main()

"""60,000 colour pictures of 32 x 32 pixels, in ten classes."""

from minikeras.datasets.cifar import folder_of, load_batches

_HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data():
    """Load CIFAR-10.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, uint8: images (50000, 32, 32, 3) and
        (10000, 32, 32, 3) in [0, 255], or channels first after
        `set_image_data_format`; labels (n, 1): 0 airplane, 1 automobile, 2 bird, 3 cat,
        4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
    2009.
    """
    name, archive = "cifar-10-batches-py-target", "cifar-10-python.tar.gz"
    folder = folder_of(name, archive, _HASH, "cifar-10-batches-py")
    names = [f"data_batch_{i}" for i in range(1, 6)]
    x_train, y_train = load_batches(folder, names, "labels")
    x_test, y_test = load_batches(folder, ["test_batch"], "labels")
    return (x_train, y_train.astype("uint8")), (x_test, y_test.astype("uint8"))

"""60,000 colour pictures of 32 x 32 pixels, in 100 classes of 20 kinds."""

from minikeras.datasets.cifar import folder_of, load_batches

_HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode="fine"):
    """Load CIFAR-100.

    Args:
        label_mode: "fine" for the 100 classes, "coarse" for the 20 kinds.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images (50000, 32, 32, 3) and
        (10000, 32, 32, 3) in [0, 255], or channels first after
        `set_image_data_format`; int64 labels (n, 1).

    Raises:
        ValueError: an unknown `label_mode`.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
    2009.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            '`label_mode` must be one of `"fine"`, `"coarse"`. Received: '
            f"label_mode={label_mode!r}."
        )
    name, archive = "cifar-100-python-target", "cifar-100-python.tar.gz"
    folder = folder_of(name, archive, _HASH, "cifar-100-python")
    key = f"{label_mode}_labels"
    return load_batches(folder, ["train"], key), load_batches(folder, ["test"], key)

"""20,640 districts of California in 1990: 8 features, and the median price."""

from minikeras.datasets.tables import load_table

_HASH = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"


def load_data(version="large", path="california_housing.npz", test_split=0.2, seed=113):
    """Load the prices of houses in California.

    Args:
        version: "large", or "small": the first 600 districts, all near San Francisco.
        path: name of the file in the cache.
        test_split: float in [0, 1), the part for testing.
        seed: of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float32, (n, 8), and (n,) in dollars.

    Raises:
        ValueError: an unknown version, or `test_split` is out of range.

    Source: R. Pace and R. Barry, "Sparse Spatial Autoregressions", 1997.
    """
    if version not in ("small", "large"):
        raise ValueError(
            "Argument `version` must be one of 'small', 'large'. Received: "
            f"version={version!r}"
        )
    rows = 600 if version == "small" else None
    return load_table(path, "california_housing.npz", _HASH, test_split, seed, rows)

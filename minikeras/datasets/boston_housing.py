"""506 districts of Boston in 1978: 13 features, and the median price of a house."""

from minikeras.datasets.tables import load_table

_HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path="boston_housing.npz", test_split=0.2, seed=113):
    """Load the prices of houses in Boston.

    One feature counts Black residents, on a theory that segregation raises prices:
    `california_housing` is the better set for everything but comparisons.

    Args:
        path: name of the file in the cache.
        test_split: float in [0, 1), the part for testing.
        seed: of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64, (n, 13), and (n,) in 1,000
        dollars.

    Raises:
        ValueError: `test_split` is out of range.

    Source: D. Harrison and D. Rubinfeld, "Hedonic Housing Prices", 1978.
    """
    return load_table(path, "boston_housing.npz", _HASH, test_split, seed, None)

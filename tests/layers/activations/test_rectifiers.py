import numpy as np
import pytest

from minikeras import layers

X = np.array([-2.0, -0.5, 0.3, 1.0, 5.0], "float32")


def test_relu_with_bound_slope_and_threshold():
    y = layers.ReLU(max_value=3.0, negative_slope=0.1, threshold=0.5)(X)
    expected = np.where(X >= 0.5, np.minimum(X, 3), 0.1 * (X - 0.5))
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_leaky_relu_and_its_old_argument():
    expected = np.where(X > 0, X, 0.2 * X)
    np.testing.assert_allclose(layers.LeakyReLU(0.2)(X), expected, rtol=1e-6)
    np.testing.assert_allclose(layers.LeakyReLU(alpha=0.2)(X), expected, rtol=1e-6)


def test_elu():
    expected = np.where(X > 0, X, 0.7 * (np.exp(X) - 1))
    np.testing.assert_allclose(layers.ELU(0.7)(X), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["max_value", "negative_slope", "threshold"])
def test_negative_arguments_of_relu_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} of a ReLU layer cannot be"):
        layers.ReLU(**{name: -1.0})
    if name != "max_value":
        with pytest.raises(ValueError, match="None"):
            layers.ReLU(**{name: None})


def test_negative_slope_of_leaky_relu_is_refused():
    with pytest.raises(ValueError, match="negative_slope"):
        layers.LeakyReLU(-0.1)

import numpy as np
import pytest

from minikeras import layers

X = np.full((300, 400), 2.0, "float32")


def test_gaussian_noise_has_its_deviation():
    y = np.asarray(layers.GaussianNoise(0.4, seed=1)(X, training=True))
    np.testing.assert_allclose([y.mean(), y.std()], [2.0, 0.4], atol=0.01)


def test_gaussian_dropout_has_the_variance_of_dropout():
    y = np.asarray(layers.GaussianDropout(0.2, seed=1)(X, training=True))
    np.testing.assert_allclose([y.mean(), y.std()], [2.0, 2 * 0.5], atol=0.02)


@pytest.mark.parametrize("layer", [layers.GaussianNoise(0.4), layers.GaussianNoise(0)])
def test_inputs_pass_without_training_or_deviation(layer):
    np.testing.assert_array_equal(layer(X, training=layer.stddev == 0), X)


def test_deviation_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="`stddev`"):
        layers.GaussianNoise(1.2)

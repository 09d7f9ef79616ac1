import numpy as np

from minikeras import layers


def test_penalty_is_a_mean_over_the_batch():
    x = np.array([[1.0, -2.0], [3.0, 0.5]], "float32")
    layer = layers.ActivityRegularization(l1=0.1, l2=0.2)
    np.testing.assert_array_equal(layer(x), x)
    expected = (0.1 * np.abs(x).sum() + 0.2 * (x**2).sum()) / 2
    np.testing.assert_allclose(layer.losses, [expected], rtol=1e-6)

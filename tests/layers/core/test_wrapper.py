import numpy as np
import pytest

from minikeras import layers


class Twice(layers.Wrapper):
    def call(self, x):
        return 2 * self.layer(x)


def test_wrapper_builds_and_serializes_what_it_holds():
    wrapper = Twice(layers.Dense(3))
    x = np.ones((2, 4), "float32")
    y = wrapper(x)
    np.testing.assert_allclose(y, 2 * wrapper.layer(x))
    assert len(wrapper.trainable_weights) == 2
    again = Twice.from_config(wrapper.get_config())
    assert again.layer.units == 3


def test_only_layers_can_be_wrapped():
    with pytest.raises(ValueError, match="supplied to Wrapper"):
        layers.Wrapper("dense")

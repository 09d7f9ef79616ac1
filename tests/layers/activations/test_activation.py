import numpy as np
import pytest

from minikeras import layers


def test_name_and_function_are_the_same():
    x = np.array([-1.0, 0.5], "float32")
    by_name = layers.Activation("tanh")
    np.testing.assert_allclose(by_name(x), np.tanh(x), rtol=1e-6)
    assert layers.Activation(by_name.activation).get_config()["activation"] == "tanh"


def test_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match="'relu'"):
        layers.Activation("rellu")

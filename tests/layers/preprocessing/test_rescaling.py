import json

import numpy as np

from minikeras import layers


def test_integers_become_floats():
    y = layers.Rescaling(1 / 127.5, offset=-1)(np.array([0, 255], "uint8"))
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, [-1, 1], atol=1e-6)


def test_a_scale_for_each_channel_survives_a_config():
    layer = layers.Rescaling(np.array([1.0, 2.0]), offset=[0.5, 0.0])
    config = json.loads(json.dumps(layers.serialize(layer)))
    x = np.ones((3, 2), "float32")
    again = layers.deserialize(config)
    np.testing.assert_allclose(again(x), np.tile([1.5, 2.0], (3, 1)))

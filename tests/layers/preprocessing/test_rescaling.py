import json

import numpy as np

import minikeras as keras
from minikeras import layers
from minikeras.core.bridge import Frame


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


def test_a_pipeline_gives_numpy():
    x = np.array([[0, 255]], "uint8")
    with Frame(in_pipeline=True):
        y = layers.Rescaling(1 / 255)(x)
    assert type(y) is np.ndarray and y.dtype == "float32"
    assert y.tolist() == [[0.0, 1.0]]


def test_a_scale_for_each_channel_when_channels_come_first():
    keras.config.set_image_data_format("channels_first")
    try:
        y = layers.Rescaling([1.0, 2.0])(np.ones((1, 2, 3, 3)))
    finally:
        keras.config.set_image_data_format("channels_last")
    assert y[0, :, 0, 0].tolist() == [1.0, 2.0]

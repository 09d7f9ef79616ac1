import numpy as np
import pytest

import minikeras
from minikeras import layers

X = np.array([[1.0, 2.0, 4.0]], "float32")


def scaled(x, factor, training=False):
    return x * factor * (10 if training else 1)


def test_arguments_and_training_reach_the_function():
    layer = layers.Lambda(scaled, arguments={"factor": 3})
    np.testing.assert_array_equal(layer(X), 3 * X)
    np.testing.assert_array_equal(layer(X, training=True), 30 * X)


def test_mask_reaches_the_function_and_a_given_one_replaces_it():
    def keep(x, mask=None):
        return x if mask is None else x * mask[..., None]

    def flip(inputs, mask):
        return ~mask

    layer = layers.Lambda(keep, mask=flip)
    mask = np.array([True, False])
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(layer(x, mask=mask)[1], np.zeros(3))
    np.testing.assert_array_equal(layer.compute_mask(x, mask), ~mask)


def test_output_shape_by_tracing_by_tuple_and_by_function():
    def first_two(x):
        return x[:, :2]

    def shape_of_two(shape):
        return (shape[0], 2)

    symbolic = minikeras.KerasTensor((None, 3))
    for output_shape in (None, (2,), shape_of_two):
        layer = layers.Lambda(first_two, output_shape=output_shape)
        assert layer(symbolic).shape == (None, 2)
        assert layer.compute_output_shape((5, 3)) == (5, 2)


def test_a_lambda_in_a_config_is_refused_unless_allowed():
    config = layers.Lambda(lambda x: x + 1).get_config()
    with pytest.raises((ValueError, TypeError), match="safe_mode"):
        layers.Lambda.from_config(config)
    again = layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_array_equal(again(X), X + 1)


def test_a_function_is_found_by_name_among_the_given_objects():
    layer = layers.Lambda(scaled, arguments={"factor": 3})
    config = layers.serialize(layer)
    with pytest.raises(ValueError, match="scaled"):
        layers.deserialize(config)
    again = layers.deserialize(config, custom_objects={"scaled": scaled})
    np.testing.assert_array_equal(again(X), 3 * X)


def test_something_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="callable"):
        layers.Lambda(3)

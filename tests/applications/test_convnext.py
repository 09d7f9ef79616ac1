import json
import random

import jax
import numpy as np
import pytest

from minikeras import config, layers, models, saving, utils
from minikeras.applications import convnext
from minikeras.applications.convnext import ConvNeXtTiny, LayerScale, StochasticDepth

X = np.random.default_rng(0).normal(size=(6, 3, 3, 4)).astype("float32")


def small_model():
    """A residual block on vectors of 4 numbers."""
    inputs = layers.Input((4,))
    x = layers.Dense(4, name="dense")(inputs)
    x = LayerScale(0.5, 4, name="scale")(x)
    x = StochasticDepth(0.5, name="depth")(x)
    return models.Model(inputs, layers.Add()([inputs, x]))


def dropped(y):
    """Which samples are 0."""
    return (np.asarray(y).reshape(len(y), -1) == 0).all(axis=1)


@pytest.mark.parametrize(
    "layer",
    [StochasticDepth(0.2, name="depth"), LayerScale(0.3, 4, name="scale")],
    ids=lambda layer: layer.name,
)
def test_configs_name_the_layers_as_keras_does_and_come_back(layer):
    dumped = json.loads(json.dumps(saving.serialize_keras_object(layer)))
    assert dumped["module"] == "keras.src.applications.convnext"
    assert dumped["class_name"] == dumped["registered_name"] == type(layer).__name__
    back = saving.deserialize_keras_object(dumped)
    assert type(back) is type(layer)
    assert back.get_config() == layer.get_config()


def test_the_layers_are_in_the_module_and_not_in_its_public_names():
    assert not {"LayerScale", "StochasticDepth"} & set(convnext.__all__)


def test_in_training_whole_samples_are_dropped_and_the_rest_is_scaled():
    x = np.ones((2000, 2, 2), "float32")
    y = np.asarray(StochasticDepth(0.25)(x, training=True))
    assert 0.2 < dropped(y).mean() < 0.3
    np.testing.assert_allclose(y[~dropped(y)], 1 / 0.75, rtol=1e-6)


def test_without_training_nothing_is_dropped():
    layer = StochasticDepth(0.5)
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer(X, training=False), X)


def test_rates_0_and_1():
    np.testing.assert_array_equal(StochasticDepth(0)(X, training=True), X)
    assert not np.any(StochasticDepth(1.0)(X, training=True))


def test_the_same_samples_are_dropped_as_in_keras():
    # Recorded from Keras 3.15.1 on JAX.
    utils.set_random_seed(3)
    first, second = StochasticDepth(0.4), StochasticDepth(0.3)
    x = np.ones((7, 3, 2), "float32")
    found = [dropped(f(x, training=True)) for f in (first, first, second)]
    expected = [[0, 0, 0, 0, 1, 0, 1], [0, 0, 1, 1, 0, 0, 1], [1, 0, 0, 0, 0, 1, 0]]
    np.testing.assert_array_equal(np.array(found, int), expected)


def test_making_the_layer_moves_no_generator():
    utils.set_random_seed(3)
    expected = random.random()
    utils.set_random_seed(3)
    StochasticDepth(0.4)
    assert random.random() == expected


def test_each_step_of_fit_drops_anew():
    model = small_model()
    model.compile("sgd", "mse")
    generator = model.get_layer("depth").seed_generator
    before = np.asarray(generator.state)
    model.fit(np.ones((6, 4)), np.ones((6, 4)), batch_size=2, verbose=0)
    np.testing.assert_array_equal(np.asarray(generator.state), before + [0, 3])


def test_one_step_of_fit_takes_the_gradient_of_the_kept_samples():
    model = models.Sequential([layers.Input((1,)), LayerScale(1.0, 1)])
    model.add(StochasticDepth(0.5))
    model.compile("sgd", "mse")
    x, y = np.ones((64, 1), "float32"), np.zeros((64, 1), "float32")
    loss = model.fit(x, y, batch_size=64, verbose=0).history["loss"][0]
    # Kept samples become 2: the loss is 4 of them all, its derivative 8.
    kept = loss / 4
    assert 0.2 < kept < 0.8
    gamma = model.layers[0].get_weights()[0]
    np.testing.assert_allclose(gamma, [1 - 0.01 * 8 * kept], rtol=1e-6)


def test_under_jit_the_layer_is_a_function_of_its_state():
    layer = StochasticDepth(0.5)
    layer.build(X.shape)
    state = [v.value for v in layer.non_trainable_variables]
    step = jax.jit(lambda state, x: layer.stateless_call([], state, x, training=True))
    y, after = step(state, X)
    again, _ = step(state, X)
    np.testing.assert_array_equal(y, again)
    np.testing.assert_array_equal(after[0], state[0] + np.array([0, 1], "uint32"))


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_rates_outside_0_to_1_are_refused(rate):
    with pytest.raises(ValueError, match="drop_path_rate"):
        StochasticDepth(rate)


def test_layers_keep_the_dtype_of_their_policy():
    y = StochasticDepth(0.5, dtype="mixed_bfloat16")(X, training=True)
    assert y.dtype == "bfloat16"
    assert LayerScale(0.5, 4, dtype="mixed_bfloat16")(X).dtype == "bfloat16"


def test_a_scale_of_each_channel():
    layer = LayerScale(0.5, 4)
    np.testing.assert_allclose(jax.jit(layer)(X), 0.5 * X)
    (gamma,) = layer.trainable_weights
    assert gamma.name.startswith("variable") and gamma.shape == (4,)
    layer.set_weights([np.arange(4.0)])
    np.testing.assert_allclose(layer(X), X * np.arange(4.0))


@pytest.mark.parametrize("channels", [0, -1, None, 1.5])
def test_channels_of_a_scale_must_be_a_positive_integer(channels):
    with pytest.raises(ValueError, match="projection_dim"):
        LayerScale(0.5, channels)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_with_both_layers_is_saved_and_loaded(tmp_path, suffix):
    model, path = small_model(), tmp_path / f"model{suffix}"
    model.get_layer("scale").set_weights([np.arange(4.0)])
    model.save(path)
    x = X[:, 0, 0]
    np.testing.assert_allclose(saving.load_model(path)(x), model(x), rtol=1e-6)


def test_channels_first_is_refused():
    before = config.image_data_format()
    config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match='expected .* "channels_last"'):
            ConvNeXtTiny(weights=None)
    finally:
        config.set_image_data_format(before)

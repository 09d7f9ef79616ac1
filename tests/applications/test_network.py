"""What all networks share: arguments, errors, scripts that adapt a trained network."""

import inspect
import random

import numpy as np
import pytest

import minikeras as keras
from minikeras import applications, layers
from minikeras.applications.network import padding_to_halve

NETWORKS = [name for name in applications.__all__ if name[0].isupper()]


def small(**arguments):
    """The network that is built fastest, for images of 32 x 32 pixels."""
    settings = {"weights": None, "alpha": 0.25, "input_shape": (32, 32, 3)}
    return applications.MobileNet(**settings | arguments)


def test_there_are_forty():
    assert len(NETWORKS) == 40


@pytest.mark.parametrize("name", NETWORKS)
def test_documentation(name):
    function = getattr(applications, name)
    assert function.__name__ == name and "{" not in function.__doc__
    for parameter in inspect.signature(function).parameters:
        assert parameter in function.__doc__, parameter
    assert "Source:" in function.__doc__


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (dict(weights="image_net"), "image_net.*does not exist"),
        (dict(weights=3), "expected weights to be None"),
        (dict(weights="imagenet", classes=10), "1000 classes, got classes=10"),
        (
            dict(include_top=False, pooling="mean"),
            'None, "avg" or "max", got \'mean\'',
        ),
        (dict(classes=0), "`classes` must be a positive integer, got 0"),
        (dict(classes="10"), "`classes` must be a positive integer, got '10'"),
        (dict(input_shape=64), "three integers.*got input_shape=64"),
        (dict(input_shape=("a", "b", "c")), "three integers"),
        (dict(input_shape=(64, 64, 0)), "three integers"),
        (dict(input_shape=(32, 32)), "three integers"),
        (dict(input_shape=(16, 32, 3)), "at least 32 x 32 pixels, got .*16, 32, 3"),
        (dict(input_shape=(None, 32, 3)), "must know height and width"),
        (dict(input_tensor=np.ones((1, 32, 32, 3))), "KerasTensor.*got ndarray"),
    ],
)
def test_arguments_that_do_not_fit(arguments, text):
    with pytest.raises(ValueError, match=text):
        small(**arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (dict(classifier_activation="relu"), 'must be "softmax" or None'),
        (dict(input_shape=(32, 32, 4)), "3 channels"),
        (dict(input_shape=(200, 224, 3)), "224 x 224 pixels"),
    ],
)
def test_arguments_that_do_not_fit_the_imagenet_weights(arguments, text):
    with pytest.raises(ValueError, match=text):
        applications.ResNet50(**arguments)


MOBILE_NETS = ("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large")


@pytest.mark.parametrize("name", MOBILE_NETS)
@pytest.mark.parametrize("alpha", [0, -0.5])
def test_alpha_must_be_positive(name, alpha):
    with pytest.raises(ValueError, match="alpha"):
        getattr(applications, name)(weights=None, alpha=alpha)


@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small"])
def test_one_unknown_side(name):
    network = getattr(applications, name)
    shape = (64, None, 3)
    model = network(weights=None, include_top=False, input_shape=shape)
    assert model.input_shape == (None, *shape)
    features = model.predict(np.ones((1, 64, 96, 3)), verbose=0)
    assert features.shape == (1, 2, 3, model.output_shape[-1])


def test_pooling_that_says_nothing():
    """Scripts pass False, and values that a network with its top does not use."""
    assert small(include_top=False, pooling=False).output_shape == (None, 1, 1, 256)
    assert small(pooling="AVG").output_shape == (None, 1000)


def test_wrong_calls_name_the_function():
    with pytest.raises(TypeError, match="ResNet50: got an unexpected.*'include_tops'"):
        applications.ResNet50(include_tops=False)
    with pytest.raises(TypeError, match="VGG16: multiple values.*'weights'"):
        applications.VGG16(True, None, weights=None)


def test_other_channels_warn():
    with pytest.warns(UserWarning, match="usually expects 1 or 3 channels"):
        model = small(include_top=False, input_shape=(32, 32, 5))
    assert model.input_shape == (None, 32, 32, 5)


def test_the_global_generators_are_moved_by_the_seeds_of_initializers_alone():
    keras.utils.set_random_seed(5)
    first = small()
    state = random.random(), np.random.rand()
    keras.utils.set_random_seed(5)
    second = small()
    assert state == (random.random(), np.random.rand())
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("size", "kernel", "expected"),
    [
        ((4, 5), 3, ((0, 1), (1, 1))),
        ((None, None), 3, ((0, 1), (0, 1))),
        ((8, 8), 5, ((1, 2), (1, 2))),
    ],
)
def test_padding_to_halve(size, kernel, expected):
    x = keras.Input((*size, 1))
    assert padding_to_halve(x, kernel) == expected


def test_fine_tuning():
    """A frozen base with a new top; then its last layers train, too."""
    keras.utils.set_random_seed(0)
    base = small(include_top=False, pooling="avg")
    base.trainable = False
    image = keras.Input((32, 32, 3))
    model = keras.Model(image, layers.Dense(2)(base(image, training=False)))
    assert len(model.trainable_weights) == 2
    model.compile("adam", "mse")
    x, y = np.random.rand(8, 32, 32, 3), np.random.rand(8, 2)
    before = base.get_weights()
    model.fit(x, y, batch_size=4, verbose=0)
    for a, b in zip(base.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    base.trainable = True
    for layer in base.layers[:-20]:
        layer.trainable = False
    model.compile("adam", "mse")
    model.fit(x, y, batch_size=4, verbose=0)
    changed = [
        layer.name
        for layer in base.layers
        for w in layer.trainable_weights
        if not any(np.array_equal(w, b) for b in before)
    ]
    assert {*changed} <= {layer.name for layer in base.layers[-20:]} and changed


def test_features_of_inner_layers():
    base = small(include_top=False)
    inner = keras.Model(base.input, base.get_layer("conv_pw_6_relu").output)
    x = np.random.rand(2, 32, 32, 3)
    assert inner.predict(x, verbose=0).shape == inner.output_shape[:0] + (2, 2, 2, 128)


def test_a_network_within_a_network(tmp_path):
    image = keras.Input((40, 40, 1))
    colour = layers.Conv2D(3, 3)(image)
    model = small(input_tensor=colour, input_shape=None, include_top=False)
    assert model.input_shape == (None, 40, 40, 1)
    x = np.random.rand(1, 40, 40, 1).astype("float32")
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(model.predict(x), loaded.predict(x))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float16"])
def test_policies(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = small(classes=3)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {str(w.dtype) for w in model.weights} == {
        "float16" if policy == "float16" else "float32"
    }
    answers = model.predict(np.ones((1, 32, 32, 3)), verbose=0)
    assert np.isfinite(answers.astype("float32")).all()

"""Grad-CAM, against the formula written out for a small network."""

import random

import jax
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers, visualization
from minikeras.visualization import class_activation

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 5, 2)).astype("float32")
KERNEL = RNG.normal(size=(1, 1, 2, 3)).astype("float32")
TOP = RNG.normal(size=(3, 4)).astype("float32")


def by_hand(classes, before_relu=False):
    """The score is mean_xy(relu(X KERNEL)) TOP, so d score / d A is TOP / 20."""
    features = X @ KERNEL[0, 0]
    gradients = np.ones_like(features) * TOP.T[classes][:, None, None] / 20
    if before_relu:
        gradients = gradients * (features > 0)
    else:
        features = np.maximum(features, 0)
    weights = gradients.mean((1, 2))
    maps = np.zeros(features.shape[:3])
    for i, weight in enumerate(weights):
        for k in range(3):
            maps[i] += weight[k] * features[i, :, :, k]
    return np.maximum(maps, 0)


def parts(activation="softmax", data_format="channels_last", **conv):
    return [
        layers.Conv2D(
            3, 1, use_bias=False, name="conv", data_format=data_format, **conv
        ),
        layers.ReLU(name="relu"),
        layers.GlobalAveragePooling2D(data_format=data_format),
        layers.Dropout(0.5),
        layers.Dense(4, activation, use_bias=False, name="top"),
    ]


def with_weights(model):
    for layer in model._mk_flatten_layers():
        if layer.name in ("conv", "top"):
            layer.set_weights([KERNEL if layer.name == "conv" else TOP])
    return model


def sequential():
    return keras.Sequential([keras.Input((4, 5, 2)), *parts()])


def functional():
    x = y = keras.Input((4, 5, 2))
    for layer in parts():
        y = layer(y)
    return keras.Model(x, y)


def nested():
    conv, relu, *rest = parts()
    inner = keras.Sequential([keras.Input((4, 5, 2)), conv, relu], name="inner")
    x = keras.Input((4, 5, 2))
    return keras.Model(x, keras.Sequential(rest)(inner(x)))


def rematerialized():
    with keras.RematScope("full"):
        return nested()


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = parts()

    def call(self, x, training=False):
        for layer in self.parts:
            x = layer(x)
        return x


def subclassed():
    model = Net()
    model(X)
    return model


def scores_then_softmax():
    *rest, top = parts(None)
    return keras.Sequential([keras.Input((4, 5, 2)), *rest, top, layers.Softmax()])


def sigmoids():
    return keras.Sequential([keras.Input((4, 5, 2)), *parts("sigmoid")])


@pytest.mark.parametrize(
    "make",
    [
        sequential, functional, nested, rematerialized, subclassed,
        scores_then_softmax, sigmoids,
    ],
)  # fmt: skip
def test_the_formula(make):
    model = with_weights(make())
    maps = visualization.grad_cam(model, X, [0, 3, 1], "relu", normalize=False)
    np.testing.assert_allclose(maps, by_hand([0, 3, 1]), rtol=1e-4, atol=1e-6)
    maps = visualization.grad_cam(model, X, 2, normalize=False)
    expected = by_hand([2, 2, 2], before_relu=True)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-6)


def test_the_predicted_class_and_the_scale():
    model = with_weights(functional())
    best = np.asarray(model(X)).argmax(1)
    maps = visualization.grad_cam(model, X, layer=model.get_layer("relu"))
    expected = by_hand(best)
    expected = expected / expected.max((1, 2), keepdims=True)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-5)
    assert maps.dtype == "float32"
    nothing = visualization.grad_cam(model, np.zeros_like(X))
    np.testing.assert_array_equal(nothing, 0)


def test_channels_first():
    stack = parts(data_format="channels_first")
    model = with_weights(keras.Sequential([keras.Input((2, 4, 5)), *stack]))
    maps = visualization.grad_cam(model, X.transpose(0, 3, 1, 2), 1, normalize=False)
    expected = by_hand([1, 1, 1], before_relu=True)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-6)


def test_half_precision_sequences_and_one_unit():
    stack = [
        layers.Conv1D(4, 3, dtype="mixed_float16"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential([keras.Input((8, 2)), *stack])
    maps = visualization.grad_cam(model, np.ones((2, 8, 2)))
    assert maps.shape == (2, 6) and maps.dtype == "float32"
    with pytest.raises(ValueError, match=r"draws images.*\(2, 6\)"):
        visualization.plot_grad_cam(model, np.ones((2, 8, 2)))


def test_the_default_is_the_last_convolution_with_places():
    stack = [
        layers.Conv2D(3, 3),
        layers.Conv2D(3, 2, name="last"),
        layers.GlobalAveragePooling2D(keepdims=True),
        layers.Conv2D(4, 1),
        layers.Flatten(),
    ]
    model = keras.Sequential([keras.Input((6, 6, 1)), *stack])
    x = np.ones((1, 6, 6, 1))
    assert visualization.grad_cam(model, x).shape == (1, 3, 3)
    shared = layers.Conv2D(1, 3, padding="same")
    inputs = keras.Input((6, 6, 1))
    twice = keras.Model(inputs, layers.Flatten()(shared(shared(inputs))))
    assert visualization.grad_cam(twice, x, 3).shape == (1, 6, 6)


def test_nothing_of_the_model_changes():
    model = with_weights(nested())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, np.array([0, 1, 2]), verbose=0)
    before = [np.asarray(v) for v in (*model.variables, *model.metrics_variables)]
    state = random.getstate(), str(np.random.get_state())
    seed = np.asarray(keras.random.SeedGenerator(0).state)
    attributes = {id(x): set(vars(x)) for x in model._mk_flatten_layers()}
    visualization.plot_grad_cam(model, X)
    after = [np.asarray(v) for v in (*model.variables, *model.metrics_variables)]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (random.getstate(), str(np.random.get_state())) == state
    assert seed.tolist() == np.asarray(keras.random.SeedGenerator(0).state).tolist()
    assert attributes == {id(x): set(vars(x)) for x in model._mk_flatten_layers()}
    assert model.losses == [] and all(x.trainable for x in model.layers)


class Pictures(keras.callbacks.Callback):
    """Draws at the end of each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        visualization.plot_grad_cam(self.model, X)
        visualization.plot_predictions(self.model, X, [0, 1, 2])
        visualization.plot_layer_outputs(self.model, X)
        visualization.plot_filters(self.model)


def test_pictures_in_a_callback_change_no_training():
    histories = []
    for callbacks in ([], [Pictures()]):
        keras.utils.set_random_seed(0)
        model = sequential()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        fitted = model.fit(X, np.arange(3), epochs=2, verbose=0, callbacks=callbacks)
        histories.append((fitted.history, model.get_weights()))
    assert histories[0][0] == histories[1][0]
    for a, b in zip(histories[0][1], histories[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"class_index": 4}, "4 classes, 0..3, got class_index=4"),
        ({"class_index": [0, 1]}, "an int or 3 ints"),
        ({"class_index": 1.5}, "an int or 3 ints"),
        ({"layer": "top"}, r"'top'.*\(3, 4\), without places"),
        ({"layer": "nowhere"}, r"no layer 'nowhere'. It has \[.*'conv', 'relu'"),
        ({"layer": layers.ReLU()}, "expected a layer of the model"),
    ],
)
def test_bad_arguments(options, match):
    with pytest.raises(ValueError, match=match):
        visualization.grad_cam(functional(), X, **options)


def test_bad_models():
    x = keras.Input((4, 5, 2))
    flat = layers.Dense(2)(layers.Flatten()(x))
    with pytest.raises(ValueError, match=r"no convolution.*'dense.*`layer=`"):
        visualization.grad_cam(keras.Model(x, flat), X)
    with pytest.raises(ValueError, match=r"one output.*\(3, 2\), \(3, 40\)"):
        model = keras.Model(x, [flat, layers.Flatten()(x)])
        visualization.grad_cam(model, X)
    with pytest.raises(ValueError, match="has no weights yet"):
        visualization.grad_cam(Net(), X)
    with pytest.raises(TypeError, match="expected a model, got int"):
        visualization.grad_cam(3, X)
    with pytest.raises(ValueError, match=r"batch is empty: \(0, 4, 5, 2\)"):
        visualization.grad_cam(functional(), X[:0])
    with pytest.raises(TypeError, match="Of a data set take a batch"):
        visualization.grad_cam(functional(), iter(X))
    aside = layers.Conv2D(1, 1, name="aside")
    unused = keras.Model(x, flat + 0 * layers.Flatten()(aside(x))[:, :2])
    with pytest.raises(ValueError, match="do not depend on the layer 'aside'"):
        visualization.grad_cam(unused, X)
    with pytest.raises(ValueError, match="several layers are called 'twin'"):
        inner = [keras.Sequential([layers.Conv2D(2, 1, name="twin")]) for _ in "ab"]
        model = keras.Model(x, layers.Flatten()(inner[1](inner[0](x))))
        visualization.grad_cam(model, X, layer="twin")


def test_the_overlay(tmp_path):
    model = with_weights(functional())
    names = {0: "zero", 1: "$one$"}
    figure = visualization.plot_grad_cam(model, X, [0, 1, 2], class_names=names, cols=3)
    titles = [axes.get_title().partition(":")[0] for axes in figure.axes]
    assert titles == ["zero", "$one$", "2"]
    heat = figure.axes[0].images[1]
    maps = visualization.grad_cam(model, X, [0, 1, 2])
    np.testing.assert_allclose(heat.get_array(), maps[0], atol=1e-6)
    np.testing.assert_allclose(heat.get_alpha(), maps[0] / 2, atol=1e-6)
    photos = RNG.integers(0, 255, (3, 8, 10, 3), dtype="uint8")
    figure = visualization.plot_grad_cam(model, X, images=photos)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), photos[0])
    expected = jax.image.resize(visualization.grad_cam(model, X), (3, 8, 10), "linear")
    heat = figure.axes[1].images[1].get_array()
    np.testing.assert_allclose(heat, expected[1], atol=1e-5)
    assert visualization.plot_grad_cam(model, X, path=tmp_path / "a.png") is None
    assert (tmp_path / "a.png").exists()
    visualization.plot_grad_cam(model, X * np.nan).canvas.draw()
    with pytest.raises(ValueError, match="expected 3 images, got 2"):
        visualization.plot_grad_cam(model, X, images=photos[:2])


@pytest.mark.slow
def test_a_network_of_imagenet():
    """Its last activation is the usual layer to look at."""
    model = keras.applications.MobileNet(
        weights=None, input_shape=(32, 32, 3), alpha=0.25, classes=5
    )
    x = RNG.normal(size=(1, 32, 32, 3))
    maps = visualization.grad_cam(model, x, layer="conv_pw_5_relu")
    assert maps.shape == (1, 4, 4) and maps.max() <= 1 and np.isfinite(maps).all()


def test_pure_functions():
    features = RNG.normal(size=(2, 3, 4))
    gradients = RNG.normal(size=(2, 3, 4))
    maps = class_activation.class_activation_map(features, gradients)
    expected = np.einsum("bk,bsk->bs", gradients.mean(1), features).clip(0)
    np.testing.assert_allclose(maps, expected)

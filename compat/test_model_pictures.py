"""The drawings of models: the same text for Graphviz as Keras's."""

import os
import re

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import minikeras
from compat import draw

pytest.importorskip("pydot")

MODELS = {}
OPTIONS = {
    "plain": {},
    "whole": {
        **{"show_shapes": True, "show_dtype": True, "show_layer_activations": True},
        **{"show_trainable": True, "rankdir": "LR", "dpi": 90, "splines": "curved"},
    },
    "nested": {"show_shapes": True, "expand_nested": True},
    "nameless": {"show_layer_names": False, "show_trainable": True},
    "frame": {"subgraph": True, "expand_nested": True, "show_dtype": True},
}


def model(function):
    """Enter a function of the package in the table."""
    MODELS[function.__name__] = function
    return function


@model
def graph(keras, name="graph"):
    layers = keras.layers
    x = keras.Input((3,), name=f"{name}_in")
    shared = layers.Dense(3, name="shared", activation="relu")
    return keras.Model(x, layers.Dense(2, name="out")(shared(shared(x)) * 2), name=name)


@model
def stack(keras):
    layers = keras.layers
    frozen = layers.Dense(2, name="frozen")
    frozen.trainable = False
    more = [layers.BatchNormalization(), layers.Activation("relu"), layers.LeakyReLU()]
    return keras.Sequential([keras.Input((3,)), frozen, *more], name="stack")


@model
def models_in_models(keras):
    layers = keras.layers
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    joined = layers.Concatenate(name="joined")([a, b])
    two = keras.Model([a, b], [joined, layers.Dense(2, name="d")(a)], name="two")
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    u, v = two([x, layers.Dense(3, name="before")(y)])
    rows = keras.Sequential([layers.Dense(3), graph(keras, "inside")], name="rows")
    return keras.Model({"x": x, "y": y}, {"u": rows(u), "v": rows(u) + v}, name="all")


@model
def subclass_inside(keras):
    class Net(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    x = keras.Input((3,), name="x")
    net = Net(name="net")
    return keras.Model(x, [net(x) + net(x * 3), x + x], name="model")


@model
def subclass(keras):
    net = subclass_inside(keras).get_layer("net")
    net(np.ones((2, 3)))
    return net


@model
def masks(keras):
    class Masked(keras.layers.Layer):
        def call(self, x, mask=None):
            return x

    ids = keras.Input((3,), name="ids")
    x = keras.layers.Embedding(4, 2, mask_zero=True)(ids)
    x = keras.layers.MultiHeadAttention(2, 2)(x, x)
    return keras.Model(ids, Masked(name="masked")(x), name="model")


def text(package, name, options):
    """The drawing as text, keys in the order in which they come."""
    package.utils.clear_session()
    dot = package.utils.model_to_dot(MODELS[name](package), **options).to_string()
    keys = {}
    return re.sub(r"\b\d{9,}\b", lambda k: keys.setdefault(k[0], f"#{len(keys)}"), dot)


@pytest.mark.parametrize("options", draw.names(OPTIONS, ["whole"]))
@pytest.mark.parametrize("name", MODELS)
def test_same_picture(name, options):
    ours, theirs = (text(p, name, OPTIONS[options]) for p in (minikeras, keras))
    assert ours == theirs

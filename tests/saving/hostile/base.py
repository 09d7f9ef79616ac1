"""A small valid model as the parts of its files; the rows of the table change them."""

import io
import json
from typing import NamedTuple

import h5py
import numpy as np

SHAPES = {"a": ((3, 4), (4,)), "b": ((4, 2), (2,))}
METADATA = {"keras_version": "3.15.1", "date_saved": "2026-11-25@10:00:00"}


class Row(NamedTuple):
    """One hostile content.

    Args:
        name: what is wrong.
        kind: which part of a file it is, and so the doors that it can go through.
        make: function of the folder outside that gives the content.
    """

    name: str
    kind: str
    make: object


def table():
    """A dict of rows, and a decorator that enters functions in it."""
    rows = {}

    def row(kind):
        def enter(function):
            name = function.__name__
            rows[name] = Row(name, kind, function)
            return function

        return enter

    return rows, row


def named(class_name, module="keras.layers", registered=None, **config):
    """The config of an object."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered,
    }


def input_layer(*shape):
    """The config of an InputLayer."""
    return named("InputLayer", batch_shape=[None, *shape], dtype="float32", name="in")


def dense(name="a", units=4, **config):
    """The config of a Dense layer."""
    return named("Dense", name=name, units=units, **config)


def sequential(*layers, **more):
    """The config of a Sequential model; `more` goes beside its config."""
    config = {"name": "model", "layers": [*layers]}
    return {**named("Sequential", "keras"), "config": config, **more}


def valid_config(**more):
    """The config of the model whose weights are `SHAPES`."""
    return sequential(input_layer(3), dense("a", 4), dense("b", 2), **more)


COMPILE = {
    "optimizer": named("SGD", "keras.optimizers", learning_rate=0.5),
    "loss": "mse",
    "metrics": None,
}


def arrays(name):
    """Weights of a layer, all different."""
    return [
        np.arange(np.prod(shape), dtype="float32").reshape(shape) / 8
        for shape in SHAPES[name]
    ]


def h5_bytes(fill, **options):
    """The bytes of an HDF5 file that `fill(file)` fills."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        fill(file)
    return buffer.getvalue()


def fill_weights(file):
    """Write weights as in `.weights.h5`."""
    for path, name in (("layers/dense", "a"), ("layers/dense_1", "b")):
        group = file.create_group(f"{path}/vars")
        group.attrs["name"] = name
        for i, value in enumerate(arrays(name)):
            group[str(i)] = value


def fill_legacy(file, config=None, training=None):
    """Write a whole model as in `.h5`; `config` is a dict or a text."""
    config = valid_config() if config is None else config
    file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
    file.attrs["model_config"] = (
        config if isinstance(config, (str, bytes)) else json.dumps(config)
    )
    if training is not None:
        file.attrs["training_config"] = json.dumps(training)
    group = file.create_group("model_weights")
    group.attrs["layer_names"] = np.array([b"a", b"b"])
    for name in SHAPES:
        inner = group.create_group(name)
        names = [f"{name}/kernel:0", f"{name}/bias:0"]
        inner.attrs["weight_names"] = np.array([n.encode() for n in names])
        for path, value in zip(names, arrays(name), strict=True):
            inner[path] = value


# Where each layout keeps the kernel and the group of the first layer.
KERNEL = {
    fill_weights: "layers/dense/vars/0",
    fill_legacy: "model_weights/a/a/kernel:0",
}

"""Files written by one package, opened by the other: nothing is lost on the way."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import json
import warnings
import zipfile

import jax
import keras
import numpy as np
import pytest

import minikeras
from compat import draw
from compat.cases import BASE, CASES

PACKAGES = {"keras": keras, "minikeras": minikeras}


# All samples are one batch: batches of one size are one compilation.
EPOCHS = {"callbacks": [], "initial_epoch": 0, "epochs": 3}
ONE_BATCH = 64


def trained(package, name):
    """A case trained for some epochs, and the arguments for more."""
    package.utils.clear_session()
    package.utils.set_random_seed(7)
    model, arguments = CASES[name](package)
    arguments = {**BASE, **arguments, **EPOCHS}
    if arguments["batch_size"]:
        arguments["batch_size"] = ONE_BATCH
    model.fit(**arguments)
    return model, arguments


def more(package, model, arguments):
    """History of more epochs."""
    package.utils.set_random_seed(8)  # orders the samples
    return model.fit(**arguments).history


def assert_close(left, right, rtol=1e-6):
    left, right = (jax.tree_util.tree_flatten(x) for x in (left, right))
    assert left[1] == right[1]
    for a, b in zip(left[0], right[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6)


def config_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def load(package, path):
    """A model read back; random layers without a seed take new ones, as in Keras."""
    package.utils.set_random_seed(9)
    return package.saving.load_model(path)


def without_ids(node):
    """What must be equal in both configs; Keras keeps some numbers in float32."""
    if isinstance(node, float):
        return float(np.float32(node))
    if isinstance(node, dict):
        # Keras forgets the delta of Huber: such a model comes back with another loss.
        dropped = ("shared_object_id", "delta")
        return {k: without_ids(v) for k, v in node.items() if k not in dropped}
    if isinstance(node, list):
        return [without_ids(item) for item in node]
    return node


# Sources of data do not show in a file; random predictions differ.
LEFT_OUT = ("generator", "dataset", "variational_autoencoder")
NAMES = [name for name in CASES if name not in LEFT_OUT]


# Of the others each compiles its network many times, for many seconds.
QUICK = ("operations", "deferred")
QUICK_WEIGHTS = ("accumulated_gradients", "frozen_nested")


@pytest.mark.parametrize("name", draw.names(NAMES, QUICK))
def test_files_travel_both_ways(name, tmp_path):
    configs = {}
    for writer, reader in (("keras", "minikeras"), ("minikeras", "keras")):
        path = tmp_path / f"{writer}.keras"
        model, arguments = trained(PACKAGES[writer], name)
        model.save(path)
        configs[writer] = without_ids(config_of(path))
        slots = [np.asarray(v.value) for v in model.optimizer.variables]
        expected = model.predict(arguments["x"], ONE_BATCH, verbose=0)
        CASES[name](PACKAGES[reader])  # registers the classes that the case defines
        models = [(p, load(p, path)) for p in (PACKAGES[reader], PACKAGES[writer])]
        read = models[0][1]
        for _, model in models:  # both: recurrent dropout draws in `predict`, too
            assert_close(model.predict(arguments["x"], ONE_BATCH, verbose=0), expected)
        for a, b in zip(read.optimizer.variables, slots, strict=True):
            np.testing.assert_array_equal(np.asarray(a.value), b)
        assert_close(*(more(p, model, arguments) for p, model in models), 1e-5)
    if name != "encoder_decoder":  # Keras records other steps of mask arithmetic
        assert configs["minikeras"] == configs["keras"]


@pytest.mark.parametrize("name", draw.names(NAMES, QUICK_WEIGHTS))
def test_weights_travel_both_ways(name, tmp_path):
    models = {}
    for writer, package in PACKAGES.items():
        models[writer], arguments = trained(package, name)
        models[writer].save_weights(tmp_path / f"{writer}.weights.h5")
    expected = [np.asarray(v.value) for v in models["keras"].weights]
    for model in models.values():
        model.set_weights([w + 1 for w in model.get_weights()])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # every weight finds its place
        models["minikeras"].load_weights(tmp_path / "keras.weights.h5")
    models["keras"].load_weights(tmp_path / "minikeras.weights.h5")
    for model in models.values():
        for a, b in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-6)

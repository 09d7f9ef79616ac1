"""`KerasFileEditor` of both packages on the files of both."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import minikeras
from minikeras.saving.file_editor import objects

PACKAGES = {"keras": keras, "minikeras": minikeras}


def make(package, units=3, nested=False):
    package.utils.clear_session()
    layers = package.layers
    parts = [package.Input((4,)), layers.Dense(2), layers.BatchNormalization()]
    if nested:
        parts.append(package.Sequential([layers.Dense(2)]))
    model = package.Sequential([*parts, layers.Dense(units, name="last")])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture(scope="module", params=["keras", "minikeras"])
def writer(request):
    return PACKAGES[request.param]


@pytest.fixture(scope="module", params=["a.keras", "a.weights.h5"])
def path(request, writer, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / request.param
    model = make(writer)
    model.save(path) if path.suffix == ".keras" else model.save_weights(path)
    return str(path)


def editors(path):
    return [package.saving.KerasFileEditor(path) for package in PACKAGES.values()]


def assert_same(theirs, ours):
    theirs, ours = dict(objects(theirs)), dict(objects(ours))
    assert {path: [*own] for path, own in theirs.items()} == {
        path: [*own] for path, own in ours.items()
    }
    for path, own in theirs.items():
        for name, value in own.items():
            np.testing.assert_array_equal(value, ours[path][name])
            assert value.dtype == ours[path][name].dtype


def test_the_same_tree(path):
    theirs, ours = editors(path)
    assert_same(theirs.weights_dict, ours.weights_dict)
    assert (theirs.metadata, theirs.config) == (ours.metadata, ours.config)
    assert theirs.object_metadata == {
        key: ours.object_metadata[key] for key in theirs.object_metadata
    }


@pytest.mark.parametrize("units", [3, 4])
def test_the_same_verdict(path, units):
    theirs, ours = (
        editor.compare(make(package, units))
        for editor, package in zip(editors(path), PACKAGES.values(), strict=True)
    )
    assert theirs["status"] == ours["status"] == ("success" if units == 3 else "error")
    # Each weight once: Keras counts what it comes to on several ways several times.
    if units == 4:  # kernel and bias, and of each the two slots of Adam
        assert ours["error_count"] == 6


def test_layers_in_layers_are_there(writer, tmp_path):
    # Keras's editor leaves them out: a file does not fit the model that it is of.
    make(writer, nested=True).save(tmp_path / "a.keras")
    theirs, ours = editors(str(tmp_path / "a.keras"))
    inner = "layers/sequential/layers/dense"
    assert inner in dict(objects(ours.weights_dict))
    assert inner not in dict(objects(theirs.weights_dict))
    assert ours.compare(make(minikeras, nested=True))["status"] == "success"
    assert theirs.compare(make(keras, nested=True))["status"] == "error"


def edit(editor):
    editor.rename_object("layers/dense", "dense_7")
    editor.add_weights("layers/dense_7", {"more": np.ones(2, "float32")})
    editor.add_object("layers/extra", {"0": np.zeros((2, 2)), "1": np.arange(3)})
    editor.delete_weight("layers/extra", "1")
    editor.delete_object("layers/batch_normalization")
    return editor


def test_the_same_edits_give_the_same_file(path, tmp_path):
    theirs, ours = map(edit, editors(path))
    assert_same(theirs.weights_dict, ours.weights_dict)
    saved = [str(tmp_path / f"{name}.weights.h5") for name in PACKAGES]
    for editor, target in zip((theirs, ours), saved, strict=True):
        editor.save(target)
    for target in saved:
        for editor in editors(target):
            assert_same(theirs.weights_dict, editor.weights_dict)


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.rename_object("nothing", "x"),
        lambda e: e.rename_object("layers/dense", "a/b"),
        lambda e: e.delete_object("layers/nothing"),
        lambda e: e.delete_weight("dense", "9"),
        lambda e: e.add_object("nowhere/x", {"0": np.zeros(1)}),
        lambda e: e.add_object("layers/x", [np.zeros(1)]),
        lambda e: e.save("x.h5"),
        lambda e: e.compare("x"),
    ],
)
def test_both_refuse(path, call):
    for editor in editors(path):
        with pytest.raises((ValueError, KeyError)):
            call(editor)

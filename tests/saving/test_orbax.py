"""Checkpoints of Orbax. Most of these tests need its package."""

import json
import os
import pathlib
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.saving import orbax_folder
from minikeras.saving.errors import FileError
from minikeras.saving.inspection import inspect_file


def make(units=4, name="m"):
    return keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(units, name="d"),
            layers.BatchNormalization(name="b"),
            layers.Dropout(0.5),
        ],
        name=name,
    )


def trained():
    model = make()
    model.compile("adam", "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 4)), verbose=0)
    return model


def put_metadata(folder, entries):
    """Lay a step without arrays: `entries` are {path: shape or None}."""
    (folder / "0" / "pytree").mkdir(parents=True)
    (folder / "0" / "_CHECKPOINT_METADATA").write_text("{}")
    tree = {
        path: {
            "key_metadata": [{"key": key, "key_type": 2} for key in path.split("/")],
            "value_metadata": {"skip_deserialize": shape is None, "write_shape": shape},
        }
        for path, shape in entries.items()
    }
    text = json.dumps({"tree_metadata": tree})
    (folder / "0" / "pytree" / "_METADATA").write_text(text)


def test_shapes_are_known_without_orbax(tmp_path):
    put_metadata(
        tmp_path,
        {
            "trainable_variables/d/kernel": [3, 4],
            "optimizer_variables/adam/iteration": [],
            "metrics_variables": None,
        },
    )
    assert orbax_folder.shapes(tmp_path)["trainable_variables/d/kernel"] == (3, 4)
    report = inspect_file(tmp_path)
    assert report["kind"] == "Orbax checkpoint"
    assert (report["totals"]["weights"], report["optimizer"]["weights"]) == (1, 1)
    assert report["status"] == 0


def test_damaged_metadata(tmp_path):
    put_metadata(tmp_path, {})
    path = tmp_path / "0" / "pytree" / "_METADATA"
    for text in ("", "[]", "null", '{"tree_metadata": {"a": 3}}'):
        path.write_text(text)
        with pytest.raises(FileError):
            orbax_folder.shapes(tmp_path)


def test_the_last_step_counts(tmp_path):
    assert orbax_folder.last_step(tmp_path) is None
    for step in ("2", "10", "9"):
        (tmp_path / step).mkdir()
        (tmp_path / step / "_CHECKPOINT_METADATA").touch()
    (tmp_path / "11").mkdir()
    assert orbax_folder.last_step(tmp_path) == tmp_path / "10"
    assert orbax_folder.last_step(tmp_path / "2") == tmp_path / "2"


def test_all_state_comes_back(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    model, other = trained(), trained()
    orbax_folder.write(model, tmp_path / "c")
    other.set_weights([x + 1 for x in other.get_weights()])
    orbax_folder.read(other, tmp_path / "c")
    pairs = zip(
        [*model.weights, *model.optimizer.variables],
        [*other.weights, *other.optimizer.variables],
        strict=True,
    )
    for a, b in pairs:
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    config = orbax_folder.read_config(tmp_path / "c")
    assert config["config"]["name"] == "m"
    assert inspect_file(tmp_path / "c")["totals"]["weights"] >= 6


def test_a_model_comes_back_from_a_folder(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    model = trained()
    orbax_folder.write(model, tmp_path)
    loaded = keras.models.load_model(tmp_path)
    loaded.load_weights(str(tmp_path / "0"))
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded.optimizer.iterations == 1
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert not keras.models.load_model(tmp_path, compile=False).compiled


def test_weights_alone_are_no_model(tmp_path):
    put_metadata(tmp_path, {"trainable_variables/d/kernel": [3, 4]})
    with pytest.raises(FileError, match="no model"):
        keras.models.load_model(tmp_path)


def test_a_model_of_another_name_and_one_that_does_not_fit(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    model, other, wrong = trained(), make(name="other"), make(units=5)
    orbax_folder.write(model, tmp_path)
    orbax_folder.write(model, tmp_path)
    assert orbax_folder.last_step(tmp_path).name == "1"
    orbax_folder.read(other, tmp_path)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    before = wrong.get_weights()
    with pytest.raises(FileError, match=r"d/kernel: expected shape \(3, 5\)"):
        orbax_folder.read(wrong, tmp_path)
    for a, b in zip(before, wrong.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Note(layers.Layer):
    """Keeps a text beside its weights."""

    def __init__(self, text="", **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def call(self, x):
        return x

    def save_assets(self, folder):
        pathlib.Path(folder, "note.txt").write_text(self.text)

    def load_assets(self, folder):
        self.text = pathlib.Path(folder, "note.txt").read_text()


def test_assets_come_back(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    parts = [layers.Input((3,)), layers.Dense(2, name="d")]
    orbax_folder.write(keras.Sequential([*parts, Note("hello")], name="m"), tmp_path)
    other = keras.Sequential([*parts, Note()], name="m")
    orbax_folder.read(other, tmp_path)
    assert other.layers[1].text == "hello"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "a\\x", "."])
def test_names_that_leave_the_folder_are_refused(tmp_path, path):
    put_metadata(tmp_path, {path: [1]})
    with pytest.raises(FileError, match="Refused"):
        orbax_folder.shapes(tmp_path)


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_what_is_no_file_is_refused(tmp_path, kind):
    put_metadata(tmp_path, {})
    path = tmp_path / "0" / "pytree" / "x"
    path.symlink_to("/etc/passwd") if kind == "link" else os.mkfifo(path)
    assert inspect_file(tmp_path)["status"] == 1
    with pytest.raises(FileError, match="no regular file"):
        orbax_folder.shapes(tmp_path)


def test_more_than_the_folder_stores_is_refused(tmp_path):
    put_metadata(tmp_path, {"trainable_variables/d/kernel": [1 << 40]})
    with pytest.raises(FileError, match="Refused"):
        orbax_folder.shapes(tmp_path)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    monkeypatch.setitem(sys.modules, "orbax", None)
    with pytest.raises(ImportError, match=r"minikeras-jax\[orbax\]"):
        orbax_folder.read(make(), tmp_path)

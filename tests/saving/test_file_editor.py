"""`KerasFileEditor`: what it shows, what it changes, what it refuses."""

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.saving.file_editor import differences, objects


@pytest.fixture(scope="module")
def model():
    return keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, name="a", dtype="bfloat16"),
            layers.Dense(2, name="b"),
        ]
    )


@pytest.fixture(params=["a.keras", "a.weights.h5"])
def editor(request, model, tmp_path):
    path = tmp_path / request.param
    model.save(path) if path.suffix == ".keras" else model.save_weights(path)
    return keras.saving.KerasFileEditor(path)


def test_what_a_file_has(editor, model):
    found = dict(objects(editor.weights_dict))
    assert list(found) == ["layers/dense", "layers/dense_1"]
    np.testing.assert_array_equal(found["layers/dense_1"]["0"], model.get_weights()[2])
    assert found["layers/dense"]["0"].dtype == jnp.bfloat16
    assert editor.object_metadata["/layers/dense"] == {"name": "a"}
    is_model = editor.filepath.endswith(".keras")
    assert (editor.config is None, editor.metadata is None) == (not is_model,) * 2


def test_summary(editor, capsys):
    editor.summary()
    assert capsys.readouterr().out == (
        "Weights structure\n"
        "└─ layers\n"
        "   ├─ dense\n"
        "   │  ├─ 0: shape=(3, 4), dtype=bfloat16\n"
        "   │  └─ 1: shape=(4,), dtype=bfloat16\n"
        "   └─ dense_1\n"
        "      ├─ 0: shape=(4, 2), dtype=float32\n"
        "      └─ 1: shape=(2,), dtype=float32\n"
    )


def test_edited_weights_load_into_the_changed_model(editor, tmp_path):
    changed = keras.Sequential([layers.Input((3,)), *map(layers.Dense, (4, 5, 2))])
    assert editor.compare(changed)["status"] == "error"
    editor.rename_object("dense_1", "dense_2")
    editor.add_object("layers/dense_1", {"0": np.ones((4, 5)), "1": [0.0] * 5})
    editor.delete_weight("layers/dense_2", "0")
    editor.add_weights("dense_2", {"0": np.full((5, 2), 3.0)})
    result = {"status": "success", "error_count": 0, "match_count": 6}
    assert editor.compare(changed) == result
    editor.save(tmp_path / "new.weights.h5")
    changed.load_weights(tmp_path / "new.weights.h5")
    assert changed.get_weights()[4].tolist() == [[3.0, 3.0]] * 5
    with h5py.File(tmp_path / "new.weights.h5") as file:
        names = [file[f"layers/dense{x}/vars"].attrs["name"] for x in ("", "_1", "_2")]
    assert names == ["a", "dense_1", "b"]


def test_bfloat16_and_other_types_are_kept(editor, model, tmp_path):
    editor.add_object("extra", {"n": np.arange(3, dtype="int8"), "s": np.float64(2)})
    editor.save(tmp_path / "b.weights.h5")
    again = keras.saving.KerasFileEditor(tmp_path / "b.weights.h5")
    assert again.weights_dict["layers"]["dense"]["0"].dtype == jnp.bfloat16
    assert again.weights_dict["extra"]["n"].dtype == "int8"
    assert again.weights_dict["extra"]["s"] == 2.0
    again.delete_object("/extra")
    assert again.compare(model)["error_count"] == 0


def test_differences_name_each_thing_once():
    expected = {"a": {"0": (2,), "1": (3,)}, "b": {"0": ()}}
    found = {"a": {"0": (5,), "2": (1,)}, "c": {"0": (1,), "1": (2,)}}
    lines = differences(expected, found)
    assert [line.partition(":")[0] for line in lines] == ["a/0", "a/1", "a/2", "b", "c"]


@pytest.mark.parametrize(
    "edit, text",
    [
        (lambda e: e.rename_object("dens", "x"), "no object 'dens'. Did you mean"),
        (lambda e: e.rename_object("dense", "dense_1"), "already"),
        (lambda e: e.rename_object("dense", "a/b"), "without '/'"),
        (lambda e: e.delete_object("layers/dense_9"), "no object 'layers/dense_9'"),
        (lambda e: e.delete_weight("dense", "7"), "no weight '7'"),
        (lambda e: e.add_object("nowhere/x", {}), "no object '/nowhere'"),
        (lambda e: e.add_object("x", [1.0]), "expected a dict"),
        (lambda e: e.add_object("x", {"../0": 1.0}), "without '/'"),
        (lambda e: e.add_weights("dense", {"0": "text"}), "no array of numbers"),
        (lambda e: e.save("x.h5"), "must end in"),
        (lambda e: e.compare("x"), "expected a model"),
    ],
)
def test_errors_change_nothing(editor, edit, text):
    before = dict(objects(editor.weights_dict))
    with pytest.raises(ValueError, match=text):
        edit(editor)
    assert dict(objects(editor.weights_dict)) == before


def test_a_name_of_two_objects_needs_its_path(editor):
    editor.add_object("dense", {"0": np.zeros(1)})
    with pytest.raises(ValueError, match="Several objects"):
        editor.delete_object("dense")
    editor.delete_object("/dense")
    editor.delete_object("dense")
    assert [*editor.weights_dict["layers"]] == ["dense_1"]


@pytest.mark.parametrize("name", ["x.txt", "none.keras", "bad.keras", "bad.weights.h5"])
def test_files_that_are_none(tmp_path, name):
    if name.startswith("bad"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ValueError, match=name):
        keras.saving.KerasFileEditor(tmp_path / name)

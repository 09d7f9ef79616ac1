"""`inspect_file`: what it tells of good, old, hostile and damaged files."""

import io
import json
import pickle
import random
import shutil
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.saving import outline, safetensors_file
from minikeras.saving.inspection import inspect_file


@keras.saving.register_keras_serializable("tests")
class Scale(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=shape[-1:], initializer="ones")

    def call(self, x):
        return x * self.scale


@pytest.fixture(scope="module")
def model():
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(2, name="d")], name="in")
    model = keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, name="first", dtype="bfloat16"),
            inner,
            Scale(name="scale"),
        ],
        name="outer",
    )
    model.compile("adam", "mse")
    return model


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    model.save(folder / "a.keras")
    model.save_weights(folder / "a.weights.h5")
    safetensors_file.write(model, folder / "a.safetensors")
    (folder / "a.json").write_text(model.to_json())
    with zipfile.ZipFile(folder / "a.keras") as archive:
        archive.extractall(folder / "folder")
    return folder


def rows(report):
    return {row["name"]: row for row in report["layers"]}


@pytest.mark.parametrize("name", ["a.keras", "folder"])
def test_a_model(files, name):
    report = inspect_file(files / name)
    assert report["status"] == 0 and report["error"] is None
    assert report["versions"]["keras_version"] == "3.15.1"
    assert report["model"] == {"class": "Sequential", "name": "outer"}
    assert rows(report)["first"]["weights"] == [
        {"path": "layers/dense/0", "shape": [3, 4], "dtype": "bfloat16"},
        {"path": "layers/dense/1", "shape": [4], "dtype": "bfloat16"},
    ]
    assert rows(report)["in"]["parameters"] == rows(report)["d"]["parameters"] == 10
    assert (rows(report)["in"]["weights"], rows(report)["d"]["depth"]) == ([], 1)
    assert report["totals"]["by_dtype"] == {"bfloat16": 16, "float32": 12}
    assert report["optimizer"]["weights"] > 0 and report["others"] == []
    assert report["compile_config"]["loss"] == "mse"
    assert len(report["custom"]) == 1 and "tests>Scale" in report["custom"][0]


def test_weights(files):
    report = inspect_file(files / "a.weights.h5", values=True)
    assert (report["status"], report["layers"]) == (0, [])
    assert [row["name"] for row in report["others"]] == ["first", "scale", "d"]
    assert report["totals"]["parameters"] == 28
    report = inspect_file(files / "a.safetensors", values=True)
    assert report["kind"] == "safetensors" and report["totals"]["parameters"] == 28
    assert inspect_file(files / "a.json")["model"]["name"] == "outer"


def test_a_legacy_file(tmp_path):
    config = {"class_name": "Sequential", "config": [
        {"class_name": "Dense", "config": {"name": "d", "output_dim": 2}}
    ]}  # fmt: skip
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps(config).encode()
        file.create_group("model_weights").attrs["layer_names"] = [b"d"]
        file["model_weights/d/d_W"] = np.zeros((3, 2), "float32")
    report = inspect_file(tmp_path / "old.h5")
    assert report["kind"] == "legacy HDF5 model" and report["status"] == 0
    assert report["versions"] == {"keras_version": "1.2.2"}
    assert rows(report)["d"]["parameters"] == 6


def test_shards(model, tmp_path):
    with h5py.File(tmp_path / "a_00000.weights.h5", "w") as file:
        file["layers/dense/vars/0"] = np.zeros((3, 4))
    table = {"/layers/dense/vars": ["a_00000.weights.h5"]}
    path = tmp_path / "a.weights.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": table}))
    report = inspect_file(path)
    assert report["kind"] == "weights (shards)"
    assert report["totals"]["parameters"] == 12
    path.write_text(json.dumps({"weight_map": {"x": ["../a.weights.h5"]}}))
    assert inspect_file(path)["status"] == 1


def test_values_are_looked_at_when_asked(tmp_path):
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        file["vars/0"] = np.array([1.0, np.nan, np.inf, -np.inf])
    assert inspect_file(tmp_path / "a.weights.h5")["status"] == 0
    report = inspect_file(tmp_path / "a.weights.h5", values=True)
    assert report["suspicious"] == ["0: 1 NaN, 2 infinite."]


@pytest.mark.parametrize(
    "config, text",
    [
        ({"class_name": "__lambda__", "config": {"code": "x"}}, "Python code"),
        (
            {"class_name": "Lambda", "config": {"function_type": "lambda"}},
            "Python code",
        ),
        ({"class_name": "TorchModuleWrapper", "config": {}}, "pickle"),
        ({"class_name": "TFSMLayer", "config": {}}, "SavedModel"),
        ({"class_name": "function", "module": "os", "config": "system"}, "of os"),
        ({"class_name": "function", "module": "builtins", "config": "eval"}, "eval of"),
        (
            {"class_name": "get_file", "module": "keras.utils"},
            "get_file of keras.utils",
        ),
        ({"class_name": "StringLookup", "config": {"vocabulary": "x"}}, "a file or"),
        ({"class_name": "X", "config": {"idf_weights": "/etc/passwd"}}, "a file or"),
        ({"class_name": "__numpy__", "config": {"dtype": "U1000000000"}}, "array of"),
        ({"class_name": "Dense", "config": {"units": 200_000_000}}, "stores 5"),
        ({"class_name": "AUC", "config": {"num_thresholds": 10**8}}, "declares"),
    ],
)
def test_what_may_do_harm_is_named(config, text):
    (found,) = outline.risks({"layers": [config]}, elements=5)
    assert text in found and found.startswith("layers/0")


def test_numbers_that_are_usual_are_not_suspicious():
    assert outline.risks({"class_name": "Dense", "config": {"units": 10**5}}, 5) == []
    assert outline.risks({"config": {"units": 2 * 10**8}}, 3 * 10**8) == []
    words = {"class_name": "StringLookup", "config": {"vocabulary": ["/", "http://a"]}}
    assert outline.risks(words, 0) == []
    seed = {"class_name": "Dropout", "config": {"seed": 2**60, "input_dim": None}}
    assert outline.risks(seed, 0) == outline.custom(seed) == []


def _archive(path, **changes):
    """Copy a `.keras` file to bytes, with other members."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (content | changes).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_pickle_is_not_loaded(files, tmp_path):
    (tmp_path / "a.keras").write_bytes(pickle.dumps(print))
    report = inspect_file(tmp_path / "a.keras")
    assert report["status"] == 1 and "pickle" in report["suspicious"][0]
    (tmp_path / "b.keras").write_bytes(_archive(files / "a.keras", **{"x.pkl": b""}))
    assert inspect_file(tmp_path / "b.keras")["suspicious"] == [
        "x.pkl: may be a pickle."
    ]


def test_links_and_members_outside(files, tmp_path):
    data = _archive(files / "a.keras", **{"../x": b""})
    (tmp_path / "a.keras").write_bytes(data)
    assert "leaves" in inspect_file(tmp_path / "a.keras")["suspicious"][0]
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        file["layers"] = h5py.ExternalLink("other.h5", "/")
    report = inspect_file(tmp_path / "a.weights.h5")
    assert report["status"] == 1 and "ExternalLink" in report["suspicious"][0]


def test_members_twice_and_encrypted(files, tmp_path):
    shutil.copy(files / "a.keras", tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras", "a") as archive:
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("config.json", b"{}")
    assert "twice" in inspect_file(tmp_path / "a.keras")["suspicious"][0]
    data = bytearray((files / "a.keras").read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # a flag in the archive's directory
    (tmp_path / "b.keras").write_bytes(data)
    assert "encrypted" in inspect_file(tmp_path / "b.keras")["suspicious"][0]


def test_no_device_is_touched(files):
    code = (
        "import sys, minikeras.cli.main as m; m.main(['inspect', sys.argv[1]])\n"
        "from jax._src import xla_bridge as x; assert not x.backends_are_initialized()"
    )
    command = [sys.executable, "-c", code, str(files / "a.keras")]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"{", b"[]", b"null", b"{}", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"],
)
def test_what_is_no_file_of_keras_is_unreadable(tmp_path, data):
    (tmp_path / "a.keras").write_bytes(data)
    report = inspect_file(tmp_path / "a.keras")
    assert report["status"] == 2 and report["error"]
    assert inspect_file(tmp_path / "none")["status"] == 2
    assert inspect_file(tmp_path)["status"] == 2


@pytest.mark.parametrize(
    "config",
    [
        None, [], "x", 3, {"class_name": []}, {"class_name": "Sequential", "config": 3},
        {"class_name": "Sequential", "config": {"layers": {"a": 1}, "name": ["n"]}},
        {"class_name": "Model", "config": {"layers": [None, [], {"class_name": None}]}},
        {"class_name": "Model", "config": {"layers": [{"class_name": 3, "name": {}}]}},
        {"class_name": "X", "module": {}, "registered_name": [], "compile_config": [1]},
    ],
)  # fmt: skip
def test_configs_of_any_type_are_told(files, tmp_path, config):
    data = _archive(files / "a.keras", **{"config.json": json.dumps(config).encode()})
    (tmp_path / "a.keras").write_bytes(data)
    report = inspect_file(tmp_path / "a.keras")
    assert report["totals"]["parameters"] == 28
    json.dumps(report)


@pytest.mark.parametrize("name", ["a.keras", "a.weights.h5", "a.safetensors", "a.json"])
def test_damaged_bytes_never_raise(files, tmp_path, name):
    data = (files / name).read_bytes()
    draw = random.Random(7)
    path = tmp_path / name
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(draw.choice([1, 3, 20])):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        if draw.random() < 0.2:
            del broken[draw.randrange(len(broken)) :]
        path.write_bytes(broken)
        report = inspect_file(path, values=True)
        assert report["status"] in (0, 1, 2)
        json.dumps(report)


def test_a_damaged_folder(files, tmp_path):
    shutil.copytree(files / "folder", tmp_path / "m")
    (tmp_path / "m" / "model.weights.h5").unlink()
    report = inspect_file(tmp_path / "m")
    assert report["status"] == 2 and report["model"]["name"] == "outer"

"""Weights in the safetensors format, against its own library where it is installed."""

import json
import struct

import jax.numpy as jnp
import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.saving import safetensors_file
from minikeras.saving.errors import FileError


def make(units=4, name=None):
    return keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(units, name="a", dtype="bfloat16"),
            layers.BatchNormalization(name="b"),
            layers.Dropout(0.5),
        ],
        name=name,
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "a.safetensors"
    safetensors_file.write(make(), path)
    return path


def header(path):
    data = path.read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + n]), data[8 + n :]


def put(path, table, data):
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def test_weights_come_back_in_a_model_of_another_name(path):
    first, second = make(name="one"), make(name="two")
    safetensors_file.write(first, path)
    safetensors_file.read(second, path)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_names_types_and_alignment(path):
    table, data = header(path)
    assert table.pop("__metadata__")["format"] == "keras"
    assert list(table)[-2:] == ["a/kernel", "a/bias"]
    assert table["a/kernel"]["dtype"] == "BF16"
    assert (len(path.read_bytes()) - len(data)) % 8 == 0


def test_its_own_library_reads_and_writes_the_same(path, tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    found = numpy.load_file(path)
    assert found["a/kernel"].dtype == jnp.bfloat16
    model = make()
    safetensors_file.read(model, path)
    for v in model.weights:
        name = v.path.partition("/")[2]
        np.testing.assert_array_equal(found[name], v.numpy())
    numpy.save_file({k: x + 1 for k, x in found.items()}, tmp_path / "b.safetensors")
    safetensors_file.read(model, tmp_path / "b.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0], found["a/kernel"] + 1)


def test_what_does_not_fit_is_named_and_nothing_changes(path):
    model = make(units=5)
    before = model.get_weights()
    with pytest.raises(FileError, match=r"a/kernel: expected shape \(3, 5\), got \(3"):
        safetensors_file.read(model, path)
    with pytest.warns(UserWarning, match="Not loaded"):
        safetensors_file.read(model, path, skip_mismatch=True)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_missing_and_extra_weights_are_named(path, tmp_path):
    table, data = header(path)
    table["c/kernel"] = table.pop("a/kernel")
    put(tmp_path / "x.safetensors", table, data)
    with (
        pytest.warns(UserWarning, match="c/kernel"),
        pytest.raises(FileError, match="a/kernel: missing"),
    ):
        safetensors_file.read(make(), tmp_path / "x.safetensors")


def changed(key, value):
    def change(table, data):
        table["a/bias"][key] = value
        return table, data

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda table, data: (table, data[:-1]),
        lambda table, data: (table, data + b"\0"),
        lambda table, data: (b"[]", data),
        lambda table, data: (b"not json", data),
        lambda table, data: ({**table, "more": 3}, data),
        lambda table, data: ({**table, "more": dict(table["a/bias"])}, data),
        changed("dtype", "F4"),
        changed("dtype", ["F32"]),
        changed("shape", [1 << 62, 1 << 62]),
        changed("shape", [-4]),
        changed("shape", [True, 4]),
        changed("shape", 4),
        changed("data_offsets", [0, 1 << 70]),
        changed("data_offsets", [0, float("inf")]),
        changed("data_offsets", None),
        changed("data_offsets", ["24", "40"]),
        changed("data_offsets", [24.0, 40.0]),
        # Of the right size, but in the place of another.
        changed("data_offsets", [0, 16]),
        changed("data_offsets", [25, 41]),
        lambda table, data: (table | {"__metadata__": {"a": 1}}, data),
    ],
)
def test_damaged_files_are_refused(path, tmp_path, change):
    put(tmp_path / "x.safetensors", *change(*header(path)))
    with pytest.raises(FileError, match="x.safetensors"):
        safetensors_file.read(make(), tmp_path / "x.safetensors")


@pytest.mark.parametrize("length", [0, 1, 1 << 40, (1 << 64) - 1])
def test_the_length_of_the_header_is_checked(tmp_path, length):
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", length) + b"{}")
    with pytest.raises(FileError, match="header"):
        safetensors_file.read(make(), tmp_path / "x.safetensors")


def test_an_empty_file_and_no_file(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"")
    for name in ("x", "y"):
        with pytest.raises(FileError):
            safetensors_file.read(make(), tmp_path / f"{name}.safetensors")


def test_names_are_those_of_the_layers_however_they_were_built(tmp_path):
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="x")], name="in")
    model = keras.Sequential([keras.Input((4,)), inner, layers.Dense(2, name="y")])
    again = keras.models.model_from_json(model.to_json())
    model.save_weights(tmp_path / "a.safetensors")
    again.load_weights(tmp_path / "a.safetensors")
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)

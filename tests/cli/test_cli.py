"""The command line: `inspect` and `convert`."""

import json
import subprocess
import sys

import numpy as np
import pytest

import minikeras as keras
from minikeras import layers
from minikeras.cli.main import main


@pytest.fixture
def model():
    return keras.Sequential(
        [layers.Input((3,)), layers.Dense(2, name="d", activation="relu")], name="m"
    )


@pytest.fixture
def path(model, tmp_path):
    model.compile("sgd", "mse")
    model.save(tmp_path / "a.keras")
    return tmp_path / "a.keras"


def test_inspect_prints_a_table(path, capsys):
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "keras (zip)" in text and "keras_version: 3.15.1" in text
    words = " ".join(text.split())
    assert " d Dense float32 8 float32[3, 2], float32[2] weights: 8 " in words
    assert "compiled with optimizer: SGD(learning_rate=" in text


def test_inspect_prints_json(path, capsys):
    assert main(["inspect", str(path), "--json", "--values"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["parameters"] == 8


def test_exit_status(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "none")]) == 2
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04.")
    assert main(["inspect", str(tmp_path / "a.pkl")]) == 1
    assert "suspicious: " in capsys.readouterr().out


def test_a_terminal_obeys_no_name_of_a_file(tmp_path, capsys):
    config = {
        "class_name": "Sequential",
        "config": {"name": "\x1b[2Jx\nmodel: y"},
    }
    (tmp_path / "a.json").write_text(json.dumps(config))
    main(["inspect", str(tmp_path / "a.json")])
    out = capsys.readouterr().out
    assert "\x1b" not in out and r"\x1b[2Jx\nmodel: y" in out


def test_names_of_any_length_are_cut(tmp_path, capsys):
    layer = {"class_name": "D" * 10_000, "config": {"name": "n" * 1_000_000}}
    config = {"class_name": "Sequential", "config": {"layers": [layer] * 50}}
    (tmp_path / "a.json").write_text(json.dumps(config))
    main(["inspect", str(tmp_path / "a.json")])
    assert len(capsys.readouterr().out) < 20_000


def test_convert_a_model(model, path, tmp_path, capsys):
    target = tmp_path / "b.safetensors"
    assert main(["convert", str(path), str(target)]) == 0
    assert "Wrote" in capsys.readouterr().out
    assert main(["convert", str(path), str(target)]) == 2
    assert "exists" in capsys.readouterr().err
    back = tmp_path / "back.weights.h5"
    convert = ["convert", str(target), str(back), "--overwrite"]
    assert main([*convert, "--model", str(path)]) == 0
    (tmp_path / "a.json").write_text(model.to_json())
    assert main([*convert, "--model", str(tmp_path / "a.json")]) == 0
    weights = model.get_weights()
    model.set_weights([x + 1 for x in weights])
    model.load_weights(back)
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])


def test_convert_says_what_is_missing(path, tmp_path, capsys):
    assert main(["convert", "a.weights.h5", str(tmp_path / "a.safetensors")]) == 2
    assert "--model" in capsys.readouterr().err
    assert main(["convert", str(path), str(tmp_path / "a.txt")]) == 2
    assert ".safetensors" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "no.keras"), str(tmp_path / "a.h5")]) == 2
    assert "no.keras" in capsys.readouterr().err


def test_it_is_a_module():
    command = [sys.executable, "-m", "minikeras", "--version"]
    assert subprocess.run(command, check=True, capture_output=True).stdout

"""The examples run, write what they say, and learn."""

import importlib.util
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def main_of(name):
    """The `main` function of examples/<name>.py."""
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]


def test_digits_reaches_97_percent_and_draws(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    accuracy = main_of("digits")(out=tmp_path)
    assert accuracy >= 0.97
    assert f"{accuracy:.2%}" in capsys.readouterr().out
    assert (tmp_path / "digits.keras").stat().st_size > 4 * 35_914
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")


def test_perceptron_beats_guessing():
    assert main_of("perceptron")(steps=200) > 0.85


@pytest.mark.slow
def test_regularization_helps():
    accuracy = main_of("regularization")(30, ["nothing", "dropout"])
    assert accuracy["dropout"] > accuracy["nothing"] + 0.02


@pytest.mark.slow
def test_images_from_folders():
    pytest.importorskip("grain")
    assert main_of("images_from_folders")(epochs=6) > 0.85


def test_text_from_folders(capsys):
    pytest.importorskip("grain")
    assert main_of("text_from_folders")(epochs=6) > 0.8
    said = capsys.readouterr().out.rpartition("{'asyncio': ")[2]
    assert float(said.partition(",")[0]) > 0.8


def test_table():
    pytest.importorskip("grain")
    assert main_of("table")(epochs=10) > 0.75


def test_time_series():
    pytest.importorskip("grain")
    error, naive = main_of("time_series")(epochs=5)
    assert error < naive / 2


def test_a_set_of_tensorflow_datasets():
    pytest.importorskip("tensorflow_datasets")
    pytest.importorskip("array_record")
    assert main_of("tfds_set")(epochs=6) > 0.85


@pytest.mark.slow
def test_transfer_learning(tmp_path):
    pytest.importorskip("grain")
    main, weights = main_of("transfer_learning"), tmp_path / "base.weights.h5"
    accuracies = main(save=weights)
    assert accuracies["frozen"] > 0.7
    assert accuracies["fine-tuned"] > max(0.75, accuracies["from scratch"] + 0.1)
    assert weights.exists()


@pytest.mark.slow
def test_features_of_images_that_look_alike():
    pytest.importorskip("grain")
    last, inner = main_of("features")(epochs=4)  # one of ten by chance
    assert last > 0.4 and inner > 0.4


@pytest.mark.slow
def test_grad_cam(tmp_path):
    share = main_of("grad_cam")(out=tmp_path / "heat.png")
    assert share > 0.3  # the digits have a sixteenth of the pictures
    if importlib.util.find_spec("matplotlib"):
        assert (tmp_path / "heat.png").read_bytes().startswith(b"\x89PNG")


def test_every_example_is_tested():
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    tested = {"digits", "perceptron", "regularization"}
    tested |= {"images_from_folders", "text_from_folders", "table", "time_series"}
    tested |= {"tfds_set", "transfer_learning", "features", "grad_cam"}
    assert found == tested

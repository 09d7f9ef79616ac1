"""The examples run, write what they say, and learn."""

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


def test_regularization_helps():
    accuracy = main_of("regularization")(30, ["nothing", "dropout"])
    assert accuracy["dropout"] > accuracy["nothing"] + 0.02


def test_every_example_is_tested():
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    assert found == {"digits", "perceptron", "regularization"}

"""`minikeras parity`, as a person would use it."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import random, sys
import numpy as np
import {keras} as keras
{before}
x = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")
layers = keras.layers
model = keras.Sequential(
    [keras.Input((5,)), layers.Dense(8, "tanh"), layers.Dropout(0.25), layers.Dense(2)]
)
model.compile("adam", "mse", metrics=["mae"])
model.fit(x, x[:, :2], epochs=2, batch_size=16, verbose=0, validation_split=0.25)
for _ in range(3):
    model.train_on_batch(x[:8], x[:8, :2])
print(model.evaluate(x, x[:, :2], verbose=0), sys.argv[1:])
model.predict(x, verbose=0)
model(x[:3])
"""
# Scales what Dense gives by 1.001, here alone.
FAULT = """
if keras.Layer.__module__.startswith("minikeras"):
    call = keras.layers.Dense.call
    keras.layers.Dense.call = lambda self, x: call(self, x) * 1.001
"""


def parity(folder, *options, before="", keras="keras", name="train.py"):
    """(exit status, what it printed) of the command."""
    (folder / name).write_text(SCRIPT.format(before=before, keras=keras))
    command = [sys.executable, "-m", "minikeras", "parity", *options, name, "--its"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_same(tmp_path):
    """A program of tensorflow.keras, without TensorFlow on either side."""
    status, text = parity(tmp_path, "--json", "a.json", keras="tensorflow.keras")
    assert status == 0, text
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["kind"] == "same" and found["worst"] < 1e-6
    calls = [call.partition(" of ")[0] for call, _ in found["calls"]]
    assert calls == ["fit", *["train_on_batch"] * 3, "evaluate", "predict", "call"]


@pytest.mark.slow
def test_a_fault_is_found_and_shown(tmp_path):
    options = ("--report", "page.html", "--json", "a.json")
    status, text = parity(tmp_path, *options, before=FAULT)
    assert status == 1, text
    found = json.loads((tmp_path / "a.json").read_text())["difference"]
    assert (found["what"], found["name"], found["step"]) == ("layer", "dense", 0)
    page = (tmp_path / "page.html").read_text()
    assert page.count("<polyline") == 2 * 4  # loss and mae, of both sets
    assert "layer &#x27;dense&#x27;" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    "before, status, words",
    [
        ("keras.utils.set_random_seed(None or hash(object()) % 2**32)", 3, "repeat"),
        ("raise KeyError('both')", 2, "KeyError: 'both'"),
        (
            "if 'mini' in keras.Layer.__module__: sys.exit(5)",
            1,
            "error SystemExit: 5 here",
        ),
        ("if 'mini' in keras.Layer.__module__: random.random()", 1, "draw 'random'"),
    ],
)
def test_other_ends(tmp_path, before, status, words):
    found, text = parity(tmp_path, before=before)
    assert found == status, text
    assert words in text


@pytest.mark.slow
def test_a_notebook(tmp_path):
    cells = [
        {"cell_type": "code", "source": "%matplotlib inline\nimport keras"},
        {"cell_type": "code", "source": SCRIPT.format(before="", keras="keras")},
    ]
    notebook = {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook))
    command = [sys.executable, "-m", "minikeras", "parity", "a.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The same" in done.stdout and "7 calls compared" in done.stdout


def test_what_cannot_be_run_is_said(tmp_path):
    for options, words in (
        (("--against", "tf_keras"), "no tf_keras in this Python"),
        (("--tolerance", "2"), "tolerance: expected a number in (0, 1), got 2.0"),
    ):
        status, text = parity(tmp_path, *options)
        assert status == 2 and words in text, text
    command = [sys.executable, "-m", "minikeras", "parity", "none.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "none.py" in done.stderr

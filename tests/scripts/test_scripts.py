"""Unmodified programs of all ages of Keras, run by `minikeras run`.

Each checks itself, and ends with a line `RESULT [numbers]`. Its first line says on
which Keras it runs; where that is Keras 3 on JAX, the numbers are equal.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent
SCRIPTS = sorted([*FOLDER.glob("*/*.py"), *FOLDER.glob("*/*.ipynb")])
# These are run by `make test`, too; the others by `make parity` and `make scripts`.
QUICK = (
    "keras1/xor_perceptron",
    "keras2/grad_cam",
    "tensorflow2/wgan_gradient_penalty",
)


def _name(path):
    return f"{path.parent.name}/{path.stem}"


def _marks(path):
    return () if _name(path) in QUICK else pytest.mark.slow


def _runs_on_keras(path):
    return "runs on: keras-jax" in path.read_text().partition("\n")[0]


def _result(command, folder):
    """The numbers that a program prints last."""
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=120,
        cwd=folder, env={**os.environ, "KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = done.stdout.rstrip().rpartition("\n")[2]
    assert last.startswith("RESULT "), done.stdout
    return json.loads(last.removeprefix("RESULT "))


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None,
    reason="with TensorFlow installed, its own functions are used",
)
@pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=_name(p), marks=_marks(p)) for p in SCRIPTS],
)
def test_runs(path, tmp_path):
    assert _result(["-m", "minikeras", "run", str(path)], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", [*filter(_runs_on_keras, SCRIPTS)], ids=_name)
def test_equals_keras(path, tmp_path):
    pytest.importorskip("keras")
    ours = _result(["-m", "minikeras", "run", str(path)], tmp_path)
    np.testing.assert_allclose(ours, _result([str(path)], tmp_path), 1e-5, 1e-5)

"""Scripts in the style of `tensorflow.keras`, with no TensorFlow installed."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

SCRIPTS = sorted((pathlib.Path(__file__).parent / "scripts").glob("*.py"))
RUN = """
import runpy
from minikeras.utils import install_as_keras
install_as_keras()
runpy.run_path({path!r}, run_name="__main__")
"""


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None,
    reason="the stand-in is for where TensorFlow is not installed",
)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path):
    pytest.importorskip("grain")
    pytest.importorskip("PIL")
    code = RUN.format(path=str(path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""Other people's packages, through `install_as_keras()`: each a small real run.

`make tools` installs them; a run whose packages are absent is skipped.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

SCRIPTS = sorted((pathlib.Path(__file__).parent / "scripts").glob("with_*.py"))


def needs(script):
    """The packages named in the first line, `# needs: …`."""
    return script.read_text().splitlines()[0].removeprefix("# needs:").split()


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem[5:])
def test_a_run_with(script, tmp_path):
    absent = [name for name in needs(script) if not importlib.util.find_spec(name)]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

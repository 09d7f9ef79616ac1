"""Programs are kept on disk between runs, in a folder of the user's own."""

import os
import subprocess
import sys
import time

import pytest

from minikeras import compilation_cache, config

SCRIPT = """
import jax, minikeras
minikeras.random.normal((3, 4), seed=1)
print(jax.config.jax_compilation_cache_dir)
"""


def run(tmp_path, **environment):
    env = {k: v for k, v in os.environ.items() if "CACHE" not in k}
    env |= {"XDG_CACHE_HOME": str(tmp_path), **environment}
    command = [sys.executable, "-c", SCRIPT]
    return subprocess.check_output(command, env=env, text=True).strip()


def test_programs_are_kept_for_the_user_alone(tmp_path):
    folder = run(tmp_path)
    assert folder.startswith(str(tmp_path / "minikeras"))
    assert any("_block" in name for name in os.listdir(folder))
    if hasattr(os, "getuid"):
        assert os.stat(folder).st_mode & 0o077 == 0


@pytest.mark.parametrize("value", ["0", "off"])
def test_the_environment_turns_it_off(tmp_path, value):
    assert run(tmp_path, MINIKERAS_CACHE=value) == "None"
    assert not os.listdir(tmp_path)


def test_a_cache_of_jax_itself_stays(tmp_path):
    own = str(tmp_path / "own")
    assert run(tmp_path, JAX_COMPILATION_CACHE_DIR=own) == own


def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    if not hasattr(os, "getuid"):
        pytest.skip("no owners here")
    monkeypatch.setattr(os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.raises(PermissionError, match="another user"):
        config.enable_compilation_cache(str(tmp_path))


def test_the_oldest_half_goes_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation_cache, "_MOST_PROGRAMS", 10)
    for i in range(11):
        (tmp_path / str(i)).touch()
        os.utime(tmp_path / str(i), (time.time(), 1000 + i))
    compilation_cache._prune(str(tmp_path))
    assert sorted(map(int, os.listdir(tmp_path))) == [5, 6, 7, 8, 9, 10]

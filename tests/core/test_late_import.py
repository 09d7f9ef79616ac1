import ast
import pathlib
import random
import sys

import numpy as np
import pytest

import minikeras
from minikeras.core.late_import import late_import, restored_random_state

ROOT = pathlib.Path(minikeras.__file__).parent
# What runs beside real Keras imports nothing of ours, and what Keras's import draws is
# Keras's.
SIDE = ROOT / "parity" / "side"
FILES = sorted(path for path in ROOT.rglob("*.py") if path.parent != SIDE)
# Loaded already, as minikeras itself stands on them.
ALWAYS_LOADED = {"jax", "numpy", "jax.numpy"}


def imported_in_functions(path):
    """(line, module) of each import that a function makes by itself."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, functions):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.lineno, node.module
            elif isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                literal = isinstance(node.args[0], ast.Constant)
                if literal and name in ("import_module", "__import__"):
                    yield node.lineno, node.args[0].value


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_late_imports_of_third_parties_keep_the_draws(path):
    own = {"minikeras", *sys.stdlib_module_names}
    found = [
        f"line {line}: {name}"
        for line, name in imported_in_functions(path)
        if name not in ALWAYS_LOADED and name.partition(".")[0] not in own
    ]
    assert not found, f"{found}: import it by core.late.late_import"


@pytest.fixture
def drawing(tmp_path, monkeypatch):
    """A module that draws while it is imported, and one that then fails."""
    draw = "import random, numpy\nrandom.random()\nnumpy.random.rand(5)\n"
    (tmp_path / "draws_at_import.py").write_text(draw)
    (tmp_path / "draws_and_fails.py").write_text(draw + "import not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("draws_at_import", None)


def states():
    return random.getstate(), str(np.random.get_state())


def test_draws_are_undone(drawing):
    before = states()
    module = late_import("draws_at_import")
    assert module.__name__ == "draws_at_import" and states() == before
    assert late_import("draws_at_import") is module
    with pytest.raises(ImportError, match="not_there_at_all"):
        late_import("draws_and_fails")
    assert states() == before
    with restored_random_state():
        random.random()
        np.random.rand()
    assert states() == before


def test_other_generators_of_numpy_are_kept(drawing):
    old = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.PCG64(3))
    try:
        before = np.random.get_state(legacy=False)
        late_import("draws_at_import")
        assert np.random.get_state(legacy=False) == before
    finally:
        np.random.set_bit_generator(old)

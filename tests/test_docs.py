"""The documents: their code runs, and what they name is in the code."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import textwrap

import pytest

import minikeras

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = pathlib.Path(minikeras.__file__).parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
WALK = ROOT / "docs" / "how-fit-reaches-xla.md"


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page):
    """(what is written behind the opening fence, content) of each code block."""
    for _, language, code in FENCE.findall(page.read_text()):
        yield language.strip(), textwrap.dedent(code)


def python_blocks(page):
    return [code for language, code in blocks(page) if language == "python"]


PROGRAMS = [
    # The page of the applications builds and trains networks of ImageNet's size.
    pytest.param(page, marks=[pytest.mark.slow] * (page.stem == "applications"))
    for page in PAGES
    if python_blocks(page)
]


@pytest.mark.parametrize("page", PROGRAMS, ids=name_of)
def test_python_blocks_run(page, tmp_path):
    # A process of its own: `install_as_keras()` refuses one that has imported Keras.
    script = tmp_path / "blocks.py"
    script.write_text("\n\n".join(python_blocks(page)))
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    run = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_excerpts_are_in_the_code(page):
    for language, code in blocks(page):
        kind, _, source = language.partition(" excerpt ")
        if not source:
            assert language in ("", "sh", "python"), f"unknown kind of block {kind!r}"
            continue
        text = (PACKAGE / source).read_text()
        for line in filter(None, map(str.strip, code.splitlines())):
            assert line in text, f"{source} does not hold the line {line!r}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", page.read_text())
    for target in re.findall(r"\]\(([\w.-][\w./-]*)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target


def test_names_of_the_walk_are_in_the_files_beside_them():
    """`training/loop.py`, `fit` says that `fit` is in this file."""
    text = FENCE.sub("", WALK.read_text())
    pairs = re.findall(r"`([\w/]+\.py)`(?:\*\*)?, `([\w.]+)`", text.replace("\n", " "))
    assert len(pairs) > 8
    for file, name in pairs:
        code = (PACKAGE / file).read_text()
        for word in name.split("."):
            assert re.search(rf"\b{word}\b", code), f"{file} does not hold {word}"


def test_the_public_names_are_those_of_the_docstrings():
    script = ROOT / "scripts" / "build_api_docs.py"
    spec = importlib.util.spec_from_file_location("build_api_docs", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "docs" / "api.md").read_text()
    assert module.text() == text, "run `make docs` and commit docs/api.md"


def test_every_name_of_the_walk_is_in_the_code():
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    text = FENCE.sub("", WALK.read_text())
    for name in set(re.findall(r"`([^`]+)`", text)):
        if name.endswith((".py", "/")):
            places = (PACKAGE / name, ROOT / name)
            assert any(place.exists() for place in places), name
            continue
        words = re.findall(r"[A-Za-z_]\w*", name)
        missing = [word for word in words if not re.search(rf"\b{word}\b", code)]
        assert not missing, f"{name}: {missing} not in the code"

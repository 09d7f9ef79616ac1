"""Cells of Jupyter notebooks as Python code."""

import ast
import json
import re
from collections.abc import Callable
from typing import NamedTuple

# The second form is what editors write for magics.
_MAGIC = re.compile(r"\s*([%!?]|get_ipython\(\)\.(run_|magic|system))|.*\?\s*$")
_ASSIGNED = re.compile(r"(\s*)([\w, ]+)=\s*[%!]")
# Magics whose cell is Python all the same.
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")


class Cell(NamedTuple):
    """A cell of code.

    Attributes:
        name: what stands for its file in tracebacks.
        source: Python; magics and shell commands are comments.
        skipped: the lines that became comments.
    """

    name: str
    source: str
    skipped: list[str]


def cells(text: str, path: str) -> list[Cell]:
    """The cells of code of a notebook, in order.

    Args:
        text: content of the file, JSON.
        path: of the file, for names.

    Raises:
        ValueError: it is no notebook.
    """
    try:
        found = json.loads(text)["cells"]
        sources = [
            "".join(cell["source"]) for cell in found if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected a Jupyter notebook of version 4, JSON with `cells`, "
            f"got something else ({type(error).__name__}: {error})."
        ) from None
    return [_cell(source, f"{path}[{i}]") for i, source in enumerate(sources, 1)]


def _cell(source, name):
    lines, skipped = source.splitlines(), []
    first = next((line for line in lines if line.strip()), "")
    all_magic = first.startswith("%%") and not first.startswith(_PYTHON_CELLS)
    inside = _lines_in_strings(source)
    for i, line in enumerate(lines):
        if all_magic or i + 1 not in inside and _MAGIC.match(line):
            skipped.append(line.strip())
            indent = line[: len(line) - len(line.lstrip())]
            # `pass` keeps a block that has nothing else.
            lines[i] = f"{indent}pass  # {line.strip()}" if indent else f"# {line}"
        elif i + 1 not in inside and (match := _ASSIGNED.match(line)):
            skipped.append(line.strip())
            lines[i] = f"{match[1]}{match[2]}= None  # {line.strip()}"
    return Cell(name, "\n".join(lines) + "\n", skipped)


def _lines_in_strings(source):
    """Numbers of lines that a text of several lines goes on in."""
    # With `pass` for what may be a magic, the cell is Python. Within a text that
    # changes no line numbers.
    lines = source.splitlines()
    for i, line in enumerate(lines):
        if _MAGIC.match(line) or _ASSIGNED.match(line):
            lines[i] = line[: len(line) - len(line.lstrip())] + "pass"
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and node.end_lineno
        for line in range(node.lineno + 1, node.end_lineno + 1)
    }


def compile_cell(source: str, name: str) -> list:
    """Code objects of a cell: the last expression is shown, as in a notebook.

    Evaluating one with `await` outside of functions gives a coroutine.

    Args:
        source: Python.
        name: what stands for its file.

    Raises:
        SyntaxError: it is no Python.
    """
    body = ast.parse(source, name).body
    parts: list = [(ast.Module(body, []), "exec")]
    if body and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        parts.append((ast.Interactive([body.pop()]), "single"))
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return [compile(tree, name, mode, flags, True) for tree, mode in parts]


def names_of_shell() -> dict[str, Callable]:
    """The functions that notebooks have without an import, as far as there is a use.

    Without the shell of IPython, `get_ipython()` gives None, as its own function does.
    """
    return {"display": _display, "get_ipython": lambda: None}


def _display(*objects, **_):
    for value in objects:
        print(repr(value))

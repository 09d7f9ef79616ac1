"""Each public op explains its arguments and shows a call that runs as a doctest."""

import inspect
import re
import sys

import pytest

from minikeras import ops, random

PUBLIC = {
    f"{room.__name__}.{name}": getattr(room, name)
    for room in (ops, ops.numpy, ops.nn, ops.linalg, ops.image, random)
    for name in room.__all__
    if not inspect.ismodule(getattr(room, name))
}
# "    x: array." or "    *operands, **kwargs: arrays."
ARGUMENT = re.compile(r"^    (\**\w+(?:, \**\w+)*):", re.MULTILINE)


def section(doc, title):
    """The indented lines under the title of a section of a docstring."""
    found = re.search(rf"^{title}:\n((?:    .*\n|\n)+)", doc + "\n", re.MULTILINE)
    return found[1] if found else ""


def test_there_are_hundreds():
    assert len({*PUBLIC.values()}) > 340


@pytest.mark.parametrize("name", PUBLIC)
def test_there_is_an_example_that_doctest_finds(name):
    function = PUBLIC[name]
    assert re.search(r"^>>> ", inspect.getdoc(function), re.MULTILINE)
    # Doctest looks at the functions that a module holds and calls its own.
    assert function in vars(sys.modules[function.__module__]).values()


@pytest.mark.parametrize("name", PUBLIC)
def test_each_argument_and_the_result_are_explained(name):
    function, stars = PUBLIC[name], {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    doc = inspect.getdoc(function)
    explained = {
        argument
        for match in ARGUMENT.finditer(section(doc, "Args"))
        for argument in match[1].split(", ")
    }
    parameters = inspect.signature(function).parameters.values()
    assert explained == {stars.get(p.kind.name, "") + p.name for p in parameters}
    assert inspect.isclass(function) or section(doc, "Returns")
    assert doc.partition("\n")[0].endswith((".", "of"))


def test_families_list_their_names_in_order():
    for name, module in vars(ops).items():
        if inspect.ismodule(module) and module.__name__ == f"minikeras.ops.{name}":
            names = list(getattr(module, "__all__", ()))
            assert names == sorted({*names}), module.__name__

"""help() answers: each public docstring names every argument of its signature."""

import collections
import inspect
import re
import types

import pytest

import minikeras as keras

SECTION = re.compile(r"^(\s*)(Args|Arguments):\s*$")
ENTRY = re.compile(r"^([*\w`, ]+?):(\s|$)")
REFERENCE = re.compile(r"\b[Ss]ee (?:also )?`([\w.]+)`")


def public_modules(module=keras, name="keras", seen=None):
    """(name, module) of the package and of the public modules below it."""
    seen = set() if seen is None else seen
    if module.__name__ in seen:
        return
    seen.add(module.__name__)
    yield name, module
    for key in module.__all__:
        value = getattr(module, key)
        if isinstance(value, types.ModuleType) and hasattr(value, "__all__"):
            if value.__name__.startswith("minikeras."):
                yield from public_modules(value, f"{name}.{key}", seen)


def is_ours(value):
    return (getattr(value, "__module__", None) or "").startswith("minikeras.")


def room(value):
    """The folder of the package that a class or function is defined in."""
    return value.__module__.split(".")[1]


def members(cls):
    """(name, object, room) of the public methods that our classes define."""
    for base in filter(is_ours, cls.__mro__):
        for name, value in vars(base).items():
            hidden = name.startswith("_") and name != "__call__"
            if not hidden and isinstance(value, METHODS):
                yield name, getattr(value, "__func__", value), room(base)


METHODS = (types.FunctionType, classmethod, staticmethod, property)


def public_objects():
    """{name: (owner, object, room)}: each public class, function and method once."""
    found, known = {}, set()

    def add(name, owner, value, where):
        if id(value) not in known:
            known.add(id(value))
            found[name] = (owner, value, where)

    for path, module in public_modules():
        for key in module.__all__:
            value = getattr(module, key)
            if isinstance(value, types.ModuleType) or not is_ours(value):
                continue
            if inspect.isclass(value) or inspect.isroutine(value):
                add(f"{path}.{key}", None, value, room(value))
            if inspect.isclass(value):
                for name, method, where in members(value):
                    add(f"{path}.{key}.{name}", value, method, where)
    return found


OBJECTS = public_objects()
PUBLIC_NAMES = {part for name in OBJECTS for part in name.split(".")}


def documented(text):
    """Names of the arguments in the `Args:` sections of a docstring."""
    names, indent = set(), None
    for line in inspect.cleandoc(text or "").splitlines():
        if section := SECTION.match(line):
            indent = len(section[1]) + 4
        elif indent is not None and line.strip():
            depth = len(line) - len(line.lstrip())
            if depth < indent:
                indent = None
            elif depth == indent and (entry := ENTRY.match(line.strip())):
                names |= {n.strip("*` ") for n in entry[1].split(",")}
    return names


def parameters(owner, value):
    """Names of the arguments of a function, a method or a constructor."""
    if isinstance(value, property):
        return []
    names = list(inspect.signature(value).parameters)
    return names[1:] if owner and names[:1] in (["self"], ["cls"]) else names


def texts(owner, name, value):
    """The docstring, and those of the methods that a method overrides."""
    if owner is None:
        return [vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__]
    bases = owner.__mro__[1:]
    return [
        value.__doc__,
        *(getattr(vars(b).get(name), "__doc__", None) for b in bases),
    ]


def faults(path):
    """What is wrong with the docstring of a public object, as text."""
    owner, value, _ = OBJECTS[path]
    found = texts(owner, path.rpartition(".")[2], value)
    text = next((t for t in found if t), "")
    if not text.strip():
        return ["no docstring"]
    known = set().union(*map(documented, found))
    wrong = []
    if not inspect.cleandoc(text).splitlines()[0].strip():
        wrong.append("no first line")
    if missing := [p for p in parameters(owner, value) if p not in known]:
        wrong.append(f"arguments not documented: {', '.join(missing)}")
    for name in REFERENCE.findall(text):
        if name.rpartition(".")[2] not in PUBLIC_NAMES:
            wrong.append(f"refers to {name}, which is not public")
    return wrong


ROOMS = sorted({where for _, _, where in OBJECTS.values()})


@pytest.mark.parametrize("name", ROOMS)
def test_docstrings_are_complete(name):
    paths = [path for path, (_, _, where) in OBJECTS.items() if where == name]
    wrong = {path: found for path in paths if (found := faults(path))}
    assert not wrong, "\n".join(f"{p}: {'; '.join(x)}" for p, x in wrong.items())


def test_the_checks_see_what_they_look_for():
    text = """Add.

    Args:
        a, b: numbers.
            c: no argument.
        *d, **e: more.

    Returns:
        f: no argument.
    """
    assert documented(text) == {"a", "b", "d", "e"}
    assert REFERENCE.findall("See `Metric`, see also `x.y`.") == ["Metric", "x.y"]
    assert collections.Counter(map(room, [keras.ops.add, keras.Model.fit])) == {
        "ops": 1,
        "models": 1,
    }

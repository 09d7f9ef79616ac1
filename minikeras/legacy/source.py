"""Which names of Keras and TensorFlow a program uses that are old or missing here.

The program is parsed, never run. Imports and simple assignments tell what its names
stand for; the modules of `install_as_keras` tell whether they are there.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from minikeras.layers import Layer
from minikeras.legacy import arguments, install, methods
from minikeras.optimizers import Optimizer

_ROOTS = ("keras", "tensorflow", "tf_keras")
# What runs, but not as it did.
_DIFFERENT = {
    "tensorflow.compat.v1.Session": "runs nothing: all code is eager",
    "tensorflow.Session": "runs nothing: all code is eager",
    "keras.backend.set_session": "has no effect: there are no sessions",
    "keras.utils.multi_gpu_model": "gives the model itself",
}

_READ = (ast.Import, ast.ImportFrom, ast.Assign, ast.Attribute, ast.Call)


class Finding(NamedTuple):
    """A name that is treated differently.

    Attributes:
        line: its line, from 1.
        name: the name, with its module.
        kind: `"missing"`, `"old"` (it works, with a warning) or `"different"`.
        text: what to do.
    """

    line: int
    name: str
    kind: str
    text: str


def findings(
    source: str | bytes, path: str = "<script>", resolved: dict | None = None
) -> list[Finding]:
    """What a program uses that is missing, old or different here, by line.

    Args:
        source: the program.
        path: its file, for errors.
        resolved: what dotted paths stand for, which is added to: with the same
            dictionary for many programs, each path is looked up once.

    Raises:
        SyntaxError: it is no Python.
        RecursionError: an expression is too deep to be read.
    """
    nodes = [n for n in ast.walk(ast.parse(source, path)) if isinstance(n, _READ)]
    names = _Names({} if resolved is None else resolved)
    for node in nodes:
        names.learn(node)
    found = {}
    inner = {id(n.value) for n in nodes if isinstance(n, ast.Attribute)}
    for node in nodes:
        for finding in _of_node(node, names, is_inner=id(node) in inner):
            found.setdefault(finding[:3], finding)
    return sorted(found.values())


class _Names:
    """What the names of a program stand for.

    Attributes:
        known: {name: dotted path}.
    """

    def __init__(self, resolved):
        self.known: dict[str, str] = {}
        self._resolved = resolved

    def learn(self, node: ast.AST) -> None:
        """Note an import, or an assignment of one."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in _ROOTS:
                    first = alias.name if alias.asname else alias.name.split(".")[0]
                    self.known[alias.asname or first] = first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module.partition(".")[0] in _ROOTS:
                for alias in node.names:
                    path = f"{node.module}.{alias.name}"
                    self.known[alias.asname or alias.name] = path
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, path = node.targets[0], self.path(node.value)
            if isinstance(target, ast.Name) and path:
                self.known.setdefault(target.id, path)

    def path(self, node: ast.AST) -> str:
        """The dotted path of an expression; "" if it is none of Keras's."""
        if isinstance(node, ast.Name):
            return self.known.get(node.id, "")
        if isinstance(node, ast.Attribute):
            inner = self.path(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        return ""

    def resolve(self, path: str) -> tuple[Any, str, str]:
        """(object, remedy if it is old, error if it is missing) of a dotted path."""
        if path not in self._resolved:
            try:
                self._resolved[path] = (*resolve(path), "")
            except (AttributeError, ImportError) as error:
                self._resolved[path] = None, "", str(error)
        return self._resolved[path]


def _of_node(node, names, is_inner) -> Iterator[Finding]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _of_path(node.lineno, alias.name, names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names if node.module.split(".")[0] in _ROOTS else ():
            end = "" if alias.name == "*" else f".{alias.name}"
            yield from _of_path(node.lineno, node.module + end, names)
    elif isinstance(node, ast.Attribute) and not is_inner:
        if path := names.path(node):
            yield from _of_path(node.lineno, path, names)
    elif isinstance(node, ast.Call):
        yield from _of_call(node, names)


def _of_path(line, path, names) -> Iterator[Finding]:
    """A dotted path: is it there, and is it of today?"""
    if path.partition(".")[0] not in _ROOTS:
        return
    keras = path.replace("tensorflow.keras", "keras").replace("tf_keras", "keras")
    if keras in _DIFFERENT:
        yield Finding(line, path, "different", _DIFFERENT[keras])
        return
    _, remedy, error = names.resolve(path)
    if error:
        yield Finding(line, path, "missing", error)
    elif remedy:
        yield Finding(line, path, "old", remedy)


def resolve(path: str) -> tuple[Any, str]:
    """(the object that a dotted path stands for, what to write if the path is old).

    Args:
        path: such as `"keras.layers.Dense"`; the alias must be installed.

    Raises:
        AttributeError, ImportError: there is none; the text says what there is.
    """
    first, *rest = path.split(".")
    value, remedy = importlib.import_module(first), ""
    for i, name in enumerate(rest, 1):
        inside = ".".join(path.split(".")[: i + 1])
        holder = value
        try:
            value = getattr(holder, name)
        except AttributeError as missing:
            if not isinstance(holder, install.Facade):
                return None, remedy  # an attribute of an object: not looked into
            try:
                value = importlib.import_module(inside)
            except ModuleNotFoundError as error:
                if error.name != inside:
                    raise
                raise missing from None  # with its hint
        remedy = remedy or install.old_remedy(holder, name, value)
    return value, remedy


def _of_call(node, names) -> Iterator[Finding]:
    """Old arguments, and old methods of any object."""
    path, known = names.path(node.func), {k.arg for k in node.keywords if k.arg}
    name = path.rpartition(".")[2]
    table = {}
    if path:
        cls = names.resolve(path)[0] if known else None
        table = _old_arguments(cls)
    elif isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if instead := methods.METHODS.get(name):
            yield Finding(node.lineno, f".{name}()", "old", f"write {instead}")
        table = arguments.METHODS.get(name, {})
    for old in sorted(known & {*table}):
        today = table[old]
        text = f"write {today}=" if today else "leave it out, it has no effect"
        yield Finding(node.lineno, f"{name}({old}=)", "old", text)


def _old_arguments(cls):
    if not inspect.isclass(cls):
        return {}
    found = {}
    if issubclass(cls, Layer):
        found = arguments.old_arguments(cls)
    for name, table in arguments.CLASSES.items():
        if any(base.__name__ == name for base in cls.__mro__):
            found = {**found, **table}
    if issubclass(cls, Optimizer):
        found = {**found, "decay": "learning_rate"}
    return found

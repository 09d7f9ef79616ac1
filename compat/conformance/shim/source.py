"""What the source of the suite says about a name: read as a tree, never run."""

import ast
from pathlib import Path

_LITERAL = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict)
_LITERAL += (ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop, ast.expr_context)


def call_name(node):
    """`f(...)` or `a.f(...)` -> "f"."""
    f = node.func if isinstance(node, ast.Call) else None
    return getattr(f, "id", getattr(f, "attr", None))


def export_paths(node):
    """The names in @keras_export(...) above a definition, or None."""
    for decorator in getattr(node, "decorator_list", []):
        if call_name(decorator) == "keras_export":
            args = list(decorator.args) + [k.value for k in decorator.keywords]
            names = ast.literal_eval(args[0])
            return [names] if isinstance(names, str) else list(names)
    return None


class Source:
    """Static view of a `keras/src` folder: module -> {name: what it is}.

    An entry is ("from", module, name), ("alias", name), ("export", public paths),
    ("constant", node), ("operation", node), ("module",) or ("private",).
    """

    def __init__(self, root):
        self.root = Path(root)
        self._tables = {}

    def file(self, module):
        """Path of the module "a.b" below keras.src ("" is keras.src), or None."""
        base = self.root.joinpath(*module.split(".")) if module else self.root
        for path in (base / "__init__.py", base.with_suffix(".py")):
            if path.is_file():
                return path
        return None

    def is_folder(self, module):
        """Is it a folder, with or without `__init__.py`?"""
        return self.root.joinpath(*module.split(".")).is_dir()

    def table(self, module):
        """{name: entry} of a module."""
        if module not in self._tables:
            names = self._tables[module] = {}
            path = self.file(module)
            if path:
                self._read(ast.parse(path.read_text()).body, names)
        return self._tables[module]

    def _read(self, body, names):
        for node in body:
            if isinstance(node, ast.ImportFrom):
                self._read_import(node, names)
            elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                names[node.name] = _definition(node, names)
            elif isinstance(node, ast.Assign):
                for name in (t.id for t in node.targets if isinstance(t, ast.Name)):
                    other = getattr(node.value, "id", None)
                    names[name] = (
                        ("alias", other) if other else ("constant", node.value)
                    )
            elif isinstance(node, ast.If):
                for branch in _branches(node):
                    self._read(branch, names)
            elif isinstance(node, ast.Try):
                for handler in node.handlers:
                    self._read(handler.body, names)
                self._read(node.body, names)

    def _read_import(self, node, names):
        module = node.module or ""
        ours = module == "keras.src" or module.startswith("keras.src.")
        module = module.removeprefix("keras.src").lstrip(".")
        for alias in node.names:
            if not ours:
                names[alias.asname or alias.name] = ("private",)
            elif alias.name == "*":
                names |= {n: ("from", module, n) for n in self.table(module)}
            else:
                names[alias.asname or alias.name] = ("from", module, alias.name)

    def resolve(self, module, name):
        """Follow imports and aliases to a definition.

        Args:
            module: module below keras.src.
            name: name in it.

        Returns:
            (module, name, entry) of the definition; entry is None if there is none.
        """
        for _ in range(20):  # longer than any chain; ends circles
            entry = self.table(module).get(name)
            submodule = f"{module}.{name}".lstrip(".")
            if entry is None:
                found = self.file(submodule)
                return (submodule, None, ("module",)) if found else (module, name, None)
            if entry == ("from", module, name):  # `from package import submodule`
                return submodule, None, ("module",)
            if entry[0] == "from":
                module, name = entry[1], entry[2]
            elif entry[0] == "alias":
                name = entry[1]
            else:
                break
        return module, name, entry

    def constant(self, module, node):
        """Value of a literal expression, which may name other constants.

        Args:
            module: the module that holds the expression.
            node: the expression.

        Returns:
            Its value.

        Raises:
            ValueError: it is no literal, or an empty container: that is a registry.
        """
        container = isinstance(node, (ast.Dict, ast.List, ast.Call))
        if container and not (
            getattr(node, "keys", None) or getattr(node, "elts", None)
        ):
            raise ValueError("an empty container is a registry, not a constant")
        values = {}
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                where, _, entry = self.resolve(module, part.id)
                if entry and entry[0] == "constant":
                    values[part.id] = self.constant(where, entry[1])
            elif not isinstance(part, _LITERAL):
                raise ValueError("not a literal")
        code = compile(ast.Expression(node), "<constant>", "eval")
        return eval(code, {"__builtins__": {}}, values)


def _definition(node, names):
    """Entry of a class or function."""
    paths = export_paths(node)
    if paths:
        return ("export", paths)
    bases = [getattr(b, "id", "") for b in getattr(node, "bases", [])]
    if bases and all(isinstance(n, ast.Pass) for n in node.body):
        return ("alias", bases[0])  # class Abs(Absolute): pass
    if any(b == "Operation" or names.get(b, "?")[0] == "operation" for b in bases):
        return ("operation", node)
    return ("private",)


def _branches(node):
    """The branches of an `if` that may run: `if backend() == "jax"` chooses one."""
    test = node.test
    if isinstance(test, ast.Compare) and call_name(test.left) == "backend":
        is_jax = getattr(test.comparators[0], "value", None) == "jax"
        return [node.body if is_jax else node.orelse]
    return [node.body, node.orelse]

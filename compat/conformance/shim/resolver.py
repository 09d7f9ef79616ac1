"""From a name in `keras.src` to an object of the package under test."""

import importlib

from compat.conformance.shim.operations import find_use, make_operation
from compat.conformance.shim.placeholders import (
    MissingPublicAPI,
    Placeholder,
    PrivateKerasAPI,
    optional_package,
)
from compat.conformance.shim.rewritten import REWRITTEN
from compat.conformance.shim.source import Source

# Pure Python modules of the suite that tests use to compute expected values: run as
# they are.
RUN = {"backend.common.backend_utils"}

# Where a private backend function may have a public name, by the last part of its
# module. `tree.optree_impl` and `tree.dmtree_impl` have one interface.
_PUBLIC_PLACES = {
    "linalg": ["keras.ops.linalg", "keras.ops"],
    "image": ["keras.ops.image", "keras.ops"],
    "nn": ["keras.ops.nn", "keras.ops"],
    "random": ["keras.random"],
    "numpy": ["keras.ops", "keras"],
    "math": ["keras.ops", "keras"],
    "core": ["keras.ops", "keras"],
}
_OTHER_PLACES = ["keras.backend", "keras.config", "keras", "keras.ops"]


class Resolver:
    """Resolves names for one target and one suite.

    Args:
        target: name of the package under test.
        suite: the `keras/src` folder.
    """

    def __init__(self, target, suite):
        self.target_name = target
        self.source = Source(suite)

    @property
    def target(self):
        """The package under test, imported when the first test needs it."""
        return importlib.import_module(self.target_name)

    def public(self, path):
        """Object at "keras.a.b" in the target; AttributeError if there is none."""
        found = self.target
        parts = path.split(".")[1:]
        for i, part in enumerate(parts, 1):
            try:
                found = getattr(found, part)
            except AttributeError:
                module = ".".join([self.target_name, *parts[:i]])
                try:
                    found = importlib.import_module(module)
                except ImportError:
                    raise AttributeError(path) from None
        return found

    def exported(self, paths):
        """The object with one of these public names, or a placeholder.

        None if all of them are names of a hidden namespace: then it is private.
        """
        paths = [p for p in paths if not p.startswith("keras._")]
        for path in paths:
            try:
                return self.public(path)
            except AttributeError:
                pass
        return Placeholder(paths[0], MissingPublicAPI) if paths else None

    def backend(self, module, name):
        """Public function that has the name of a private backend function, or None."""
        first, last = module.split(".")[0], module.split(".")[-1]
        if first not in ("backend", "tree") or name.startswith("_"):
            return None
        places = _PUBLIC_PLACES.get(last, _OTHER_PLACES)
        for place in ["keras.tree"] if first == "tree" else places:
            try:
                found = self.public(f"{place}.{name}")
            except AttributeError:
                continue
            if callable(found):
                return found
        return None

    def lookup(self, module, name):
        """The object for keras.src.<module>.<name>."""
        where, found, entry = self.source.resolve(module, name)
        kind = entry[0] if entry else None
        if kind == "module":
            return importlib.import_module(f"keras.src.{where}")
        if where in RUN:
            return getattr(importlib.import_module(f"keras.src.{where}"), found)
        if f"{where}.{found}" in REWRITTEN:
            return REWRITTEN[f"{where}.{found}"](self.target)
        if kind == "constant":
            if where == "utils.module_utils":
                return optional_package({"dmtree": "tree"}.get(found, found))
            try:
                return self.source.constant(where, entry[1])
            except Exception:  # no literal: perhaps a function's other name
                pass
        value = None
        if kind == "export":
            value = self.exported(entry[1])
        elif kind == "operation":
            value = self._operation(where, found, entry[1])
        if value is None:
            value = self.backend(where, found)
        if value is None:
            full = ".".join(filter(None, ["keras.src", module, name]))
            value = Placeholder(full, PrivateKerasAPI)
        return value

    def _operation(self, module, name, node):
        use = find_use(self.source, module, node)
        if use is None:
            return None
        return make_operation(name, self.exported(use.paths), use, self.target)

"""Imports of `keras` and `tensorflow.keras` answered by the package that is watched."""

import builtins
import functools
import importlib
import importlib.abc
import importlib.util
import sys
import types


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules below one name in those below another.

    Args:
        name: what programs import, such as "tensorflow.keras".
        package: name of the package that answers, such as "keras".
    """

    def __init__(self, name: str, package: str):
        self._name, self._package = name, package

    def find_spec(self, fullname, path=None, target=None):
        """The spec of a module below the name, if the package has it."""
        if fullname != self._name and not fullname.startswith(f"{self._name}."):
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec):
        """The package's module itself, so that its classes stay the same."""
        name = self._package + spec.name.removeprefix(self._name)
        module = importlib.import_module(name)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module):
        """Give the module its own spec back; it has run under its own name."""
        module.__spec__ = module.__spec__.loader_state


def install(package: str) -> None:
    """Have `keras`, `tensorflow.keras` and `minikeras` answered by a package.

    Args:
        package: "keras" or "tf_keras".
    """
    sys.meta_path.insert(0, Alias("minikeras", package))
    if package != "keras":
        sys.meta_path.insert(0, Alias("keras", package))
    elif importlib.util.find_spec("tensorflow") is None:
        builtins.__import__ = _tensorflow_for_programs(package)


def _tensorflow_for_programs(package):
    """`__import__` that knows `tensorflow.keras`, in code that is not installed.

    Keras itself, and others, are to find no TensorFlow: they would use more of it.
    """
    own, stand_in = builtins.__import__, types.ModuleType("tensorflow")
    stand_in.keras = importlib.import_module(package)

    @functools.wraps(own)
    def import_(name, globals=None, locals=None, fromlist=(), level=0):
        file = (globals or {}).get("__file__") or ""
        if level or name.partition(".")[0] != "tensorflow" or "-packages" in file:
            return own(name, globals, locals, fromlist, level)
        if name == "tensorflow":
            return stand_in
        if not f"{name}.".startswith("tensorflow.keras."):
            raise ModuleNotFoundError(
                f"{name}: TensorFlow is not installed; the program runs with Keras on "
                "JAX, which has nothing of it but tensorflow.keras.",
                name=name,
            )
        inner = package + name.removeprefix("tensorflow.keras")
        found = own(inner, globals, locals, fromlist, 0)
        return found if fromlist else stand_in

    return import_

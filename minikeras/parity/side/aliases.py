"""Imports of `keras` and `tensorflow.keras` answered by the package that is watched."""

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
    if package == "keras" and importlib.util.find_spec("tensorflow") is None:
        # Keras asks once whether there is a TensorFlow; it is to know there is none.
        modules = importlib.import_module("keras.src.utils.module_utils")
        _ = modules.tensorflow.available
        tensorflow = types.ModuleType("tensorflow", "Nothing but `keras`.")
        tensorflow.__path__ = []
        sys.modules["tensorflow"] = tensorflow
        sys.meta_path.insert(0, Alias("tensorflow.keras", package))
        tensorflow.keras = importlib.import_module("tensorflow.keras")

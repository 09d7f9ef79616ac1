"""The import hook: `import keras[.src...]` gives facades of the package under test."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

from compat.conformance.shim.placeholders import PrivateKerasAPI
from compat.conformance.shim.resolver import RUN, Resolver
from compat.conformance.shim.rewritten import seed_generators

# Limits that tests set and restore. The target may have none, and what the tests then
# check holds for any value.
LIMITS = {"keras.src.saving.saving_lib._MEMORY_UPPER_BOUND"}


def _below_src(name):
    return name.removeprefix("keras.src").lstrip(".")


class Facade(types.ModuleType):
    """A module of Keras without content; names in it are resolved on first use."""

    def __init__(self, name, resolver):
        super().__init__(name)
        self.__dict__["__resolver__"] = resolver

    def __getattr__(self, key):
        if key.startswith("__"):
            raise AttributeError(key)
        name, resolver = self.__dict__["__name__"], self.__dict__["__resolver__"]
        if name not in ("keras", "keras.api"):
            value = resolver.lookup(_below_src(name), key)
        elif key == "src":
            value = importlib.import_module("keras.src")
        else:
            value = resolver.public("keras." + key)
        self.__dict__[key] = value
        return value

    def __setattr__(self, key, value):
        # The import system binds submodules and special names. Anything else is a test
        # that patches the inside of Keras, which says nothing about the target.
        if key.startswith("__"):
            self.__dict__[key] = value
        elif isinstance(value, types.ModuleType):
            self.__dict__.setdefault(key, value)
        elif f"{self.__name__}.{key}" in LIMITS:
            self.__dict__[key] = value
        else:
            raise PrivateKerasAPI(f"patching {self.__name__}.{key}")

    def __delattr__(self, key):
        raise PrivateKerasAPI(f"patching {self.__name__}.{key}")


class _FacadeLoader(importlib.abc.Loader):
    def __init__(self, resolver):
        self.resolver = resolver

    def create_module(self, spec):
        return Facade(spec.name, self.resolver)

    def exec_module(self, module):
        module.__path__ = []


class _AliasLoader(importlib.abc.Loader):
    """`import keras.layers` gives the target's own module."""

    def __init__(self, resolver):
        self.resolver = resolver

    def exec_module(self, module):
        name = module.__spec__.name
        sys.modules[name] = self.resolver.public(name.replace(".api.", ".", 1))


class _SuiteLoader(importlib.machinery.SourceFileLoader):
    """Runs a test file, or a helper of keras/src/testing."""

    def __init__(self, name, path, resolver):
        super().__init__(name, path)
        self.resolver = resolver

    def exec_module(self, module):
        super().exec_module(module)
        if module.__name__ == "keras.src.testing.test_case":
            # The one helper that walks private attributes of layers.
            original = module.get_seed_generators

            def get_seed_generators(layer):
                if hasattr(layer, "_flatten_layers"):
                    return original(layer)
                return seed_generators(self.resolver.target, layer)

            module.get_seed_generators = get_seed_generators


class Finder(importlib.abc.MetaPathFinder):
    """Answers for `keras` and all below it, before the installed package would."""

    def __init__(self, resolver):
        self.resolver = resolver

    def find_spec(self, name, path=None, target=None):
        """The spec of a module of Keras; None for other modules.

        Args:
            name: full name of the module.
            path: not used.
            target: not used.
        """
        if name.partition(".")[0] != "keras":
            return None
        if name == "keras.src" or name.startswith("keras.src."):
            return self._find_source(name)
        if name in ("keras", "keras.api"):
            return self._spec(name, _FacadeLoader)
        try:
            self.resolver.public(name.replace(".api.", ".", 1))
        except AttributeError:
            return None
        return self._spec(name, _AliasLoader)

    def _spec(self, name, loader):
        spec = importlib.machinery.ModuleSpec
        return spec(name, loader(self.resolver), is_package=True)

    def _find_source(self, name):
        module = _below_src(name)
        file = self.resolver.source.file(module)
        if file is None and not self.resolver.source.is_folder(module):
            return None
        runs = name.endswith("_test") or module.partition(".")[0] == "testing"
        if file is None or not (runs or module in RUN):
            return self._spec(name, _FacadeLoader)
        return importlib.util.spec_from_file_location(
            name,
            file,
            loader=_SuiteLoader(name, str(file), self.resolver),
            submodule_search_locations=[] if file.name == "__init__.py" else None,
        )


def install(target, suite):
    """Let `import keras` in this process mean the package under test.

    Args:
        target: name of the package.
        suite: the `keras/src` folder.
    """
    loaded = [m for m in sys.modules if m.partition(".")[0] == "keras"]
    if loaded:
        raise RuntimeError(f"keras was imported before the shim: {loaded[:3]}")
    sys.meta_path.insert(0, Finder(Resolver(target, suite)))

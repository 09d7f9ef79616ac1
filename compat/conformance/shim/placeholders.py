"""What stands for a name that the package under test cannot have."""

import functools
import importlib.util
import sys
import types
import unittest


class state:
    """Facts of the one test that runs; placeholders and plugin share them."""

    collecting = True  # the plugin sets it to False when the first test starts
    private = None  # the last private name that the running test has used


class PrivateKerasAPI(BaseException):
    """A test needs a private name of Keras. `assertRaises` does not catch it."""

    def __init__(self, name):
        super().__init__(name)
        state.private = name  # outlives threads and `except BaseException`


class MissingPublicAPI(Exception):
    """A test needs a public name that the target lacks: a failure of the target."""


class Placeholder:
    """Can be imported and subclassed; raises `error(name)` when a test uses it.

    While test files are imported, attributes and calls give further placeholders:
    a decorator or a list of parameters must not stop the collection of a whole file.
    """

    def __init__(self, name, error):
        self.__dict__.update(_name=name, _error=error)
        self.__dict__["__name__"] = name.rpartition(".")[2]

    def _child(self, suffix):
        if state.collecting:
            return Placeholder(self._name + suffix, self._error)
        raise self._error(self._name)

    def __getattr__(self, key):
        if key.startswith("__") or key.startswith("_pytest"):
            raise AttributeError(key)
        return self._child("." + key)

    def __call__(self, *args, **kwargs):
        decorates = len(args) == 1 and not kwargs
        if state.collecting and decorates and isinstance(args[0], types.FunctionType):

            @functools.wraps(args[0])
            def test(*args, **kwargs):
                raise self._error(self._name)

            return test
        return self._child("()")

    def __repr__(self):
        return f"<{self._name}>"

    def __mro_entries__(self, bases):
        error, name = self._error, self._name

        def __new__(cls, *args, **kwargs):
            raise error(name)

        return (type(self.__name__, (), {"__new__": __new__}),)

    def __bool__(self):
        return bool(state.collecting or self._child(""))


def _raises(self, *args, **kwargs):
    raise self._error(self._name)


# Python looks special methods up on the class, past `__getattr__`.
for _method in (
    "setattr instancecheck subclasscheck iter len getitem setitem contains "
    "enter exit add sub mul truediv radd rmul lt gt le ge index float int"
).split():
    setattr(Placeholder, f"__{_method}__", _raises)


class _Optional(Placeholder):
    """A package that is not installed; no object is an instance of its types."""

    available = False

    def __instancecheck__(self, obj):
        return False


class _Available:
    """An installed package with the flag `available`, as Keras wraps it."""

    available = True

    def __init__(self, name):
        self.__dict__["_module"] = importlib.import_module(name)

    def __getattr__(self, key):
        return getattr(self._module, key)


def _skip(message):
    return unittest.SkipTest(f"not installed: {message}")


@functools.cache
def installed(package):
    """Can the package be imported? It is found, not imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return package in sys.modules


def not_installed(name):
    """A stand-in for a package; a test that uses it is skipped."""
    return _Optional(name, _skip)


def optional_package(name):
    """The package if it is installed, else a stand-in."""
    return _Available(name) if installed(name) else not_installed(name)

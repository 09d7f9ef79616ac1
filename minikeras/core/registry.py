"""The tables of names behind every `get`, `serialize` and `deserialize`.

A class or function of a config is found here or not at all: nothing is imported
because a file or a config names it.
"""

import difflib
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import Any

from minikeras.core.bridge import Scope, current

_public: dict[str, dict[str, Any]] = {}  # "keras.layers" -> {"Dense": Dense}
_module_of: dict[Any, str] = {}  # Dense -> "keras.layers"
_ops: dict[str, Any] = {}  # class name in saved graphs ("GetItem") -> op
_families: dict[str, Any] = {}  # "losses" -> its `Family`
_custom_names: dict[Any, str] = {}  # user's class -> "package>Name"
_global_custom: dict[str, Any] = {}  # "package>Name" -> user's class
# Packages whose modules stand for the library's own in files.
_PACKAGES = ("builtins", "keras", "keras_core", "minikeras", "tensorflow", "tf_keras")


def register(module: str, objects: dict[str, Any]) -> None:
    """Enter `objects` as the public names of `module` (as Keras calls it)."""
    _public.setdefault(module, {}).update(objects)
    for obj in objects.values():
        if inspect.isclass(obj) or inspect.isfunction(obj):
            # The first module counts: Keras writes `keras.layers` for a class that is
            # public in several.
            _module_of.setdefault(obj, module)
    for name, obj in objects.items():
        if inspect.isfunction(obj) and not _is_findable(obj):
            # Made by another function, such as `op_makers.unary`. Pickle finds
            # functions by module and name.
            obj.__module__ = module.replace("keras", "minikeras", 1)
            own = objects.get(obj.__name__) is obj
            obj.__qualname__ = obj.__name__ if own else name


def _is_findable(function):
    defined_in = vars(sys.modules[function.__module__])
    return defined_in.get(function.__qualname__) is function


def register_all(module: str, namespace: dict[str, Any]) -> None:
    """`register` every name of the namespace's `__all__`."""
    register(module, {name: namespace[name] for name in namespace["__all__"]})


def module_of(obj: Any) -> str | None:
    """Public module of a class or function of the library; None for all else."""
    return _module_of.get(obj)


def is_known(obj: Any) -> bool:
    """Is a class or function of the library, or registered by the user?"""
    return obj in _module_of or obj in _custom_names


def public_name(obj: Any) -> str:
    """Name under which a class of the library is public."""
    names = _public[_module_of[obj]]
    if names.get(obj.__name__) is obj:
        return obj.__name__
    return next(name for name, value in names.items() if value is obj)


def public(module: str | None, name: str) -> Any:
    """The object of a public module, such as `"keras.layers"`, or None."""
    return _public.get(module or "", {}).get(name)


def lookup(module: str | None, name: str) -> Any:
    """The object that a config names by module and name, or None.

    Args:
        module: public or internal module of Keras, such as `"keras.layers"` or
            `"keras.src.layers.core.dense"`; one of its parts names the family.
        name: name of the class or function.
    """
    if (found := public(module, name)) is not None:
        return found
    # Files of older versions name modules that have moved since: the last part that is
    # a family decides, then any family that has the name.
    for part in reversed((module or "").split(".")):
        found = _public.get(f"keras.{part}", {}).get(name)
        if found is not None:
            return found
    found = _public.get("keras", {}).get(name)
    if found is not None:
        return found
    return next((t[name] for t in _public.values() if name in t), None)


def means_library(config: dict[str, Any]) -> bool:
    """Does a config name a class of the library, not one of the user's own?

    Those of a main program have a registered name and no module, those of Keras 1 and 2
    often have neither.
    """
    if module := config.get("module"):
        return module.partition(".")[0] in _PACKAGES
    return not config.get("registered_name")


def register_op(class_name: str, function: Callable[..., Any]) -> None:
    """Enter an op under the class name it has in Keras's saved graphs."""
    _ops[class_name] = function


def get_op(class_name: str) -> Any:
    """The op saved as `class_name`; KeyError if there is none."""
    return _ops[class_name]


def find_op(class_name: str) -> Any:
    """The op saved as `class_name`, or None."""
    return _ops.get(class_name)


def add_family(name: str, family: Any) -> None:
    """Enter the `Family` behind `keras.<name>.get`."""
    _families[name] = family


def family(name: str) -> Any:
    """The `Family` behind `keras.<name>.get`."""
    return _families[name]


# -- the user's own classes -------------------------------------------------------


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
    """Decorate a class or function that files may name, as `package>name`.

    Args:
        package: string that tells equal names of different packages apart.
        name: name in files; that of the class or function by default.

    Returns:
        A decorator that returns the class or function unchanged.

    Raises:
        ValueError: a class without `get_config()`.

    >>> @register_keras_serializable("docs")
    ... def double(x):
    ...     return 2 * x
    >>> get_registered_name(double)
    'docs>double'
    """

    def decorate(obj):
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                "Cannot register a class that does not have a get_config() method: "
                f"{obj.__name__}. Define it, so that files can hold the object."
            )
        registered = f"{package}>{name or obj.__name__}"
        _custom_names[obj] = registered
        _global_custom[registered] = obj
        return obj

    return decorate


def get_registered_name(obj: Any) -> str:
    """The name under which an object is registered, else its own name.

    Args:
        obj: class or function.
    """
    return _custom_names.get(obj) or getattr(obj, "__name__", str(obj))


def get_registered_object(
    name: Any,
    custom_objects: dict[str, Any] | None = None,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """Find the class or function that is registered under a name.

    Open scopes come first, then `register_keras_serializable`, then the arguments.

    Args:
        name: registered name, such as `"package>Name"`, or a key of a scope.
        custom_objects: {name: class or function}, asked after the registered ones.
        module_objects: {name: class or function}, asked last.

    Returns:
        The class or function, or None.
    """
    scopes = reversed(current().serialization.custom_objects)
    for table in (*scopes, _global_custom, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return None


def find_registered(name: str) -> Any:
    """The object registered under a name; also the only one of any package, or None."""
    if (found := get_registered_object(name)) is not None:
        return found
    # Keras 3.6 wrote functions without their package.
    ends = [x for key, x in _global_custom.items() if key.endswith(f">{name}")]
    return ends[0] if len(ends) == 1 else None


def get_custom_objects() -> dict[str, Any]:
    """The global table of custom objects; it may be changed in place."""
    return _global_custom


class CustomObjectScope(Scope):
    """`with custom_object_scope({"MyLayer": MyLayer}):` names classes for loading.

    Other threads do not see the names.

    Args:
        custom_objects: {name: class or function}, or None.
    """

    def __init__(self, custom_objects: dict[str, Any] | None):
        self.custom_objects = custom_objects or {}

    def _changes(self):
        settings = current().serialization
        tables = (*settings.custom_objects, self.custom_objects)
        return {"serialization": settings._replace(custom_objects=tables)}


custom_object_scope = CustomObjectScope


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the closest known names, in whatever case, as a sentence; "" if none."""
    spellings: dict[str, list[str]] = {}
    for x in sorted({*map(str, known)}):
        spellings.setdefault(x.lower(), []).append(x)
    # At most 3 names that have 0.6 of their letters in common: difflib's own limits.
    near = difflib.get_close_matches(str(name).lower(), list(spellings), 3, 0.6)
    close = [x for lower in near for x in spellings[lower]][:3]
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""

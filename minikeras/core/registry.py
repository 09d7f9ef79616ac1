"""The table of names behind every `get`, `serialize` and `deserialize`.

Classes and functions are found here or not at all: nothing is ever imported
because a file or a config names it.
"""

import difflib
import inspect
import sys
from typing import Any

from minikeras.core.bridge import Scope, current

_public: dict[str, dict[str, Any]] = {}  # "keras.layers" -> {"Dense": Dense}


_module_of: dict[Any, str] = {}  # Dense -> "keras.layers"


_ops: dict[str, Any] = {}  # class name in saved graphs ("GetItem") -> op


_families: dict[str, Any] = {}  # "losses" -> its `Family`


_custom_names: dict[Any, str] = {}  # user's class -> "package>Name"


_global_custom: dict[str, Any] = {}


def register(module: str, objects: dict[str, Any]) -> None:
    """Enter `objects` as the public names of `module` (as Keras calls it)."""
    _public.setdefault(module, {}).update(objects)
    for obj in objects.values():
        if inspect.isclass(obj) or inspect.isfunction(obj):
            _module_of.setdefault(obj, module)
    for name, obj in objects.items():
        if inspect.isfunction(obj) and not _is_findable(obj):
            # Made by another function. Pickle finds functions by module and name.
            obj.__module__ = module.replace("keras", "minikeras", 1)
            own = objects.get(obj.__name__) is obj
            obj.__qualname__ = obj.__name__ if own else name


def _is_findable(function):
    defined_in = vars(sys.modules[function.__module__])
    return defined_in.get(function.__qualname__) is function


def register_all(module: str, namespace: dict[str, Any]) -> None:
    """`register` every name of the namespace's `__all__`."""
    register(module, {name: namespace[name] for name in namespace["__all__"]})


def module_of(obj) -> str | None:
    """Public module of a class or function of ours, else None."""
    return _module_of.get(obj)


def public_name(obj) -> str:
    """Name under which a class of ours is public."""
    names = _public[_module_of[obj]]
    if names.get(obj.__name__) is obj:
        return obj.__name__
    return next(name for name, value in names.items() if value is obj)


def lookup(module: str | None, name: str):
    """Object that a config calls (`module`, `name`), or None.

    `module` may be a public or an internal Keras path: what counts is which
    family it belongs to.
    """
    if module in _public and name in _public[module]:
        return _public[module][name]
    for part in reversed((module or "").split(".")):
        found = _public.get(f"keras.{part}", {}).get(name)
        if found is not None:
            return found
    found = _public.get("keras", {}).get(name)
    if found is not None:
        return found
    return next((t[name] for t in _public.values() if name in t), None)


def register_op(class_name: str, function) -> None:
    """Enter an op under the class name it has in Keras's saved graphs."""
    _ops[class_name] = function


def op(class_name: str):
    """The op saved as `class_name`; KeyError if there is none."""
    return _ops[class_name]


def find_op(class_name: str):
    """The op saved as `class_name`, or None."""
    return _ops.get(class_name)


def add_family(name: str, family) -> None:
    """Enter the `Family` behind `keras.<name>.get`."""
    _families[name] = family


def family(name: str) -> Any:
    """The `Family` behind `keras.<name>.get`."""
    return _families[name]


# -- the user's own classes -------------------------------------------------------


def register_keras_serializable(package="Custom", name=None):
    """Decorator: files may name this class or function, as `package>name`.

    >>> @register_keras_serializable("docs")
    ... def double(x):
    ...     return 2 * x
    >>> get_registered_name(double)
    'docs>double'
    """

    def decorate(obj):
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"register_keras_serializable: class {obj.__name__} has no "
                "`get_config()`; define it so that files can hold the object."
            )
        registered = f"{package}>{name or obj.__name__}"
        _custom_names[obj] = registered
        _global_custom[registered] = obj
        return obj

    return decorate


def get_registered_name(obj) -> str:
    """Name under which the object is registered, else its own."""
    return _custom_names.get(obj) or getattr(obj, "__name__", str(obj))


def get_registered_object(name, custom_objects=None, module_objects=None):
    """What `name` stands for in the scopes, the call's own table, or None."""
    scopes = reversed(current().configs.custom_objects)
    for table in (*scopes, _global_custom, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The global table of custom objects; it may be changed in place."""
    return _global_custom


class CustomObjectScope(Scope):
    """`with custom_object_scope({"MyLayer": MyLayer}):` names classes for loading.

    Other threads do not see them.
    """

    def __init__(self, custom_objects):
        self.custom_objects = custom_objects or {}

    def _changes(self):
        configs = current().configs
        tables = (*configs.custom_objects, self.custom_objects)
        return {"configs": configs._replace(custom_objects=tables)}


custom_object_scope = CustomObjectScope


def did_you_mean(name: str, known) -> str:
    """ "" or a sentence that names the closest known names, in whatever case."""
    spellings: dict[str, list[str]] = {}
    for x in sorted({*map(str, known)}):
        spellings.setdefault(x.lower(), []).append(x)
    near = difflib.get_close_matches(str(name).lower(), list(spellings), 3, 0.6)
    close = [x for lower in near for x in spellings[lower]][:3]
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""

"""Objects <-> JSON-ready dicts, in Keras's format.

An object becomes `{"module", "class_name", "config", "registered_name"}`. Reading is
an allowlist: a class or function is taken from the registry, the user's registered
objects or the `custom_objects` of the call, and from nowhere else. Keras imports what a
config names and forbids what has done harm: CVE-2025-1550, CVE-2025-8747 and
CVE-2025-9906 each found a function that was not forbidden yet.
"""

import inspect
import reprlib
from typing import Any

import jax.numpy as jnp
import numpy as np

from minikeras import settings
from minikeras.core import lambdas, literals, registry
from minikeras.core.bridge import Scope, current
from minikeras.core.symbolic import FunctionOp

_PLAIN = (str, bool, int, float, type(None))
# What constructors raise that did not expect a value of another type.
_UNCLEAR = (TypeError, LookupError, ArithmeticError, AttributeError, MemoryError)
_PLACE = "in the config of "  # such notes say where in a config an error occurred


class SafeModeScope(Scope):
    """Inside, configs are read with the `safe_mode` of a user's own call.

    Args:
        safe_mode: False lets lambdas run; True and None do not.
    """

    # If an error leaves a scope open inside, unsafe mode must not outlive this one.
    _drops_inner = True

    def __init__(self, safe_mode: bool | None):
        self.safe_mode = safe_mode

    def _changes(self):
        settings = current().serialization._replace(safe_mode=self.safe_mode)
        return {"serialization": settings}


class SharingScope(Scope):
    """Inside, an object that occurs twice is written, and read, as one object."""

    _drops_inner = True

    def _changes(self):
        return {"serialization": current().serialization._replace(seen_objects={})}


class CopyScope(Scope):
    """Inside, configs are made for a copy in memory, so they may hold functions."""

    _drops_inner = True

    def _changes(self):
        settings = current().serialization._replace(seen_objects=None, originals={})
        return {"serialization": settings}


def recreate(obj: Any, **changes: Any) -> Any:
    """Make a new object with the config of `obj`, apart from some changes.

    Nothing comes from a file: functions are those of `obj`, and classes need not be
    registered.
    """
    with CopyScope():
        return type(obj).from_config({**obj.get_config(), **changes})


def in_safe_mode() -> bool:
    """Is a config that is read now forbidden to run code?

    The call's own `safe_mode=False` and `enable_unsafe_deserialization()` each allow
    it. Without either of them the answer is yes.
    """
    # `is not False`: in Keras an unset mode allowed it (CVE-2026-12481).
    return current().serialization.safe_mode is not False and settings.is_safe_mode()


def serialize_keras_object(obj: Any) -> Any:
    """Turn an object, function, array or plain value into a JSON-ready value.

    Args:
        obj: number, string, array, function, object with `get_config()`, or lists and
            dicts of these.

    Returns:
        What `json.dumps` takes; objects are dicts with `"class_name"` and `"config"`.

    Raises:
        TypeError: an object without `get_config()`.

    >>> from minikeras import initializers
    >>> config = serialize_keras_object(initializers.Constant(3.0))
    >>> config["class_name"], config["config"]
    ('Constant', {'value': 3.0})
    """
    if isinstance(obj, _PLAIN):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(x) for x in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {k: serialize_keras_object(v) for k, v in obj.items()}
    if (literal := literals.dump(obj, serialize_keras_object)) is not None:
        return literal
    if isinstance(obj, (np.generic, np.ndarray)):
        return obj.item()
    if (
        inspect.isfunction(obj)
        and (originals := current().serialization.originals) is not None
    ):
        originals[len(originals)] = obj
        return literals.literal_config("__live__", number=len(originals) - 1)
    if inspect.isfunction(obj) and obj.__name__ == "<lambda>":
        return literals.literal_config("__lambda__", **lambdas.dump(obj))
    if inspect.isclass(obj) and not hasattr(obj, "get_config"):
        # A type such as jnp.float32, in the layout that Keras gives it.
        return {
            "module": obj.__module__,
            "class_name": type(obj).__name__,
            "config": obj.__name__,
            "registered_name": type(obj).__name__,
        }
    return _named_object(obj)


def _named_object(obj):
    """The config of a function, or of an object with `get_config()`."""
    if inspect.isfunction(obj) or inspect.isbuiltin(obj):
        name = registry.get_registered_name(obj)
        return _object_config("builtins", "function", name, "function")
    cls = type(obj)
    if isinstance(obj, FunctionOp):
        module, name, registered = obj.module, obj.class_name, obj.class_name
    elif registry.module_of(cls):
        module, name = registry.module_of(cls), registry.public_name(cls)
        registered = name if module.startswith("keras.src") else None
    else:
        # In another program "__main__" is another file, so Keras writes no module.
        name = cls.__name__
        module = None if cls.__module__ == "__main__" else cls.__module__
        registered = registry.get_registered_name(cls)
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize {obj!r} ({cls.__name__}): a class must have a "
            "`get_config()` method to be put in a file."
        )
    originals, inner = current().serialization.originals, obj.get_config()
    if originals is not None and cls is not FunctionOp:
        originals[module, name, registered] = cls
        # `get_config` returned the function itself, so `from_config` expects it.
        kept = {k: v for k, v in inner.items() if inspect.isfunction(v)}
        inner = serialize_dict({k: v for k, v in inner.items() if k not in kept}) | kept
    else:
        inner = serialize_dict(inner)
    config = _object_config(module, name, inner, registered)
    if (seen := current().serialization.seen_objects) is not None:
        # With the object in the table, no other one can get its id.
        first = seen.setdefault(id(obj), (config, obj))[0]
        if first is not config:
            first["shared_object_id"] = config["shared_object_id"] = id(obj)
    if getattr(obj, "built", False) and hasattr(obj, "get_build_config"):
        if (build := obj.get_build_config()) is not None:
            config["build_config"] = serialize_dict(build)
    if hasattr(obj, "get_compile_config"):
        config["compile_config"] = serialize_dict(obj.get_compile_config() or {})
    return config


def _object_config(module, class_name, config, registered_name):
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered_name,
    }


def serialize_dict(values: dict[str, Any]) -> dict[str, Any]:
    """Apply `serialize_keras_object` to each value of a dict."""
    return {key: serialize_keras_object(value) for key, value in values.items()}


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool | None = None,
    *,
    family: Any = None,
    module_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Turn a value of `serialize_keras_object` into the object again.

    Args:
        config: the value: a dict, list or plain value.
        custom_objects: {name: class or function} besides the registered ones.
        safe_mode: False lets `Lambda` bytecode of the config run. None: safe,
            unless `keras.config.enable_unsafe_deserialization()` was called.
        family: kind of object whose names are tried first, for internal use.
        module_objects: {name: class or function} that is asked last, as packages
            written for Keras 2 give it; `config` may then be a name.
        printable_module_name: what errors call the object then.

    Returns:
        The object, or list, dict or plain value of objects.

    Raises:
        ValueError: the config names something that is not registered.
        TypeError: the config is no dict, list or plain value.

    >>> from minikeras import initializers
    >>> config = serialize_keras_object(initializers.Constant(3.0))
    >>> deserialize_keras_object(config).value
    3.0
    """
    if module_objects is not None:
        if isinstance(config, str):
            known = {**module_objects, **(custom_objects or {})}
            if config not in known:
                raise ValueError(
                    f"Unknown {printable_module_name}: {config!r}."
                    f"{registry.did_you_mean(config, known)}"
                )
            found = known[config]
            # As in Keras: a name that the caller knows stands for an object.
            if inspect.isclass(found) and config not in (custom_objects or {}):
                return (
                    found.from_config({}) if hasattr(found, "from_config") else found()
                )
            return found
        custom_objects = {**module_objects, **(custom_objects or {})}
    with registry.CustomObjectScope(custom_objects):
        try:
            if safe_mode is None:
                return _read(config, family)
            with SafeModeScope(safe_mode):
                return _read(config, family)
        except RecursionError:
            raise ValueError("The config is nested too deeply.") from None


def _read(config, family=None):
    """`deserialize_keras_object`, within the scopes that it has opened."""
    if isinstance(config, _PLAIN):
        return config
    if isinstance(config, (list, tuple)):
        return [_read(x) for x in config]
    if not isinstance(config, dict):
        raise TypeError(
            f"Cannot read {config!r} ({type(config).__name__}): expected the dict, "
            "list or plain value that serialize_keras_object() gives."
        )
    if "class_name" not in config or "config" not in config:
        return {key: _read(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    for key in ("class_name", "module", "registered_name"):
        if not isinstance(config.get(key), (str, type(None))):
            raise ValueError(f"A config's {key!r} is a string, got {config[key]!r}.")
    if literals.is_literal(name):
        return literals.load(name, inner, _read)
    originals = current().serialization.originals
    if name == "__live__" and originals is not None:
        return originals[inner["number"]]
    if name == "__lambda__":
        return lambdas.load(inner, in_safe_mode())
    if name == "function":
        return _function(config)
    # jnp.float32 and its like. `jnp.dtype` takes names of dtypes alone, so nothing of
    # the module that the config names is looked up.
    if name == "_ScalarMeta" or config.get("module") == "jax._src.numpy.scalar_types":
        return jnp.dtype(inner).type
    return _shared_or_new(config, family)


def _function(config):
    """The function that a config names; ValueError if it is not registered."""
    name, module = config["config"], config.get("module")
    registered = config.get("registered_name")
    if not isinstance(name, str):
        raise TypeError(
            "Expected 'config' to be a non-null str in the config of a function, got "
            f"{reprlib.repr(name)}."
        )
    found = registry.get_registered_object(registered)
    if found is None:
        found = registry.find_registered(name)
    if found is None:
        found = registry.lookup(module, name)
        _check_registered_name(found, registered, (name, "function"))
    if found is None or inspect.isclass(found) or not callable(found):
        raise ValueError(_unknown("function", name, module))
    return found


def _check_registered_name(found, registered, names):
    """ValueError if a config names one of ours as if it were a user's."""
    if found is not None and registered and registered not in names:
        raise ValueError(
            f"{names[0]!r} resolved to a Keras built-in, but the config's "
            f"registered_name={registered!r} is that of an object of your own. Pass "
            "yours in `custom_objects=`, or take the name out of the config."
        )


def _unknown(what, name, module):
    known = [n for table in registry._public.values() for n in table]
    hint = registry.did_you_mean(name, known)
    if name in known:
        hint = " Keras's has this name too, but the config means another one."
    return (
        f"Unknown {what} {name!r} (module {module!r}) in a config.{hint} If it is your "
        "own, pass it in `custom_objects=` or decorate it with "
        "@keras.saving.register_keras_serializable()."
    )


def find_class(config: dict[str, Any], family: Any = None) -> Any:
    """The class, or the op, that a config names; ValueError if unregistered."""
    name, module = config["class_name"], config.get("module")
    registered = config.get("registered_name")
    originals = current().serialization.originals or {}
    if (found := originals.get((module, name, registered))) is not None:
        return found
    # A class of the library that a file names by its module stays one, as in Keras: the
    # weights are under its name. Without a module, the user's classes come first:
    # `custom_objects={"Dense": MyDense}`.
    if not registered and (module or "").partition(".")[0] == "keras":
        if inspect.isclass(found := registry.public(module, name)):
            return found
    for key in (registered, name):
        found = registry.get_registered_object(key)
        if inspect.isclass(found) or inspect.isfunction(found):
            return found
    found = None
    if module is not None and ".ops." in f".{module}.":
        found = registry.find_op(name)
    elif registry.means_library(config):
        found = family.names.get(name) if family else None
        found = found if found is not None else registry.lookup(module, name)
        _check_registered_name(found, registered, (name,))
    if found is None:
        raise ValueError(_unknown("class", name, module))
    return found


def _shared_or_new(config, family):
    shared, table = config.get("shared_object_id"), current().serialization.seen_objects
    if shared is None or table is None:
        return _new_object(config, family)
    if shared not in table:
        table[shared] = _new_object(config, family)
    return table[shared]


def _new_object(config, family):
    """Make the object of a config; build and compile it as the config says."""
    cls = find_class(config, family)
    inner = config["config"]
    if not inspect.isclass(cls):
        if module_is_ops(config):
            # Functions among the arguments are written as configs.
            inner = {k: _read(x) if _has_config(x) else x for k, x in inner.items()}
            return FunctionOp.from_config(config["class_name"], inner)
        return cls
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of {cls.__name__}: the class has no "
            "from_config()."
        )
    if not isinstance(inner, dict):
        raise TypeError(
            f"Expected 'config' to be a dict in a config of {cls.__name__}, got "
            f"{reprlib.repr(inner)}."
        )
    try:
        return _made(cls, config)
    except Exception as error:
        if isinstance(error, _UNCLEAR) and not places(error):
            kind = TypeError if isinstance(error, TypeError) else ValueError
            what = f"{type(error).__name__}: " * (kind is ValueError)
            error = kind(
                f"{cls.__name__} could not be made from its config: {what}{error}. If "
                "the class is yours, check that `get_config()` returns what `__init__` "
                "takes, and that arguments such as layers are explicitly deserialized "
                "in `from_config()`."
            ).with_traceback(error.__traceback__)
        error.add_note(f"{_PLACE}{cls.__name__} {str(inner.get('name', ''))[:80]}")
        raise error


def places(error: BaseException) -> list[str]:
    """The objects in whose configs an error occurred, the innermost first."""
    return [x for x in getattr(error, "__notes__", ()) if x.startswith(_PLACE)]


def _made(cls, config):
    """An object of a class, built and compiled as the config says."""
    obj = cls.from_config(dict(config["config"]))
    if (build := config.get("build_config")) and hasattr(obj, "build_from_config"):
        if not getattr(obj, "built", False):
            obj.build_from_config(build)
    if (compiled := config.get("compile_config")) and hasattr(obj, "compile"):
        obj.compile_from_config(compiled)
    return obj


def is_config(x: Any) -> bool:
    """Is it the config of an object, and not another dict?"""
    return isinstance(x, dict) and "class_name" in x


def _has_config(x):
    """Is it a config, or a list with one?"""
    if isinstance(x, (list, tuple)):
        return any(map(_has_config, x))
    return is_config(x)


def module_is_ops(config: dict[str, Any]) -> bool:
    """Does the config name a recorded op, not a class?"""
    return ".ops." in f".{config.get('module') or ''}."

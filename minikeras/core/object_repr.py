"""How objects that are made from a configuration print: `<Adam learning_rate=0.01>`."""

import inspect
from collections.abc import Iterator
from typing import Any

from minikeras.core.naming import to_snake_case

_LONGEST = 40  # characters of one value
_MANY = 4  # entries of a list that are shown


def describe(obj: Any) -> str:
    """The class of an object, and its arguments that differ from the defaults.

    It never raises, and reads no arrays from the device, only single numbers: a
    debugger also prints objects whose constructor has not finished.
    """
    kind = type(obj).__name__
    try:
        parts = [f"{name}={text}" for name, text in _non_default(obj)]
    except Exception:  # a user's attributes and `get_config` may do anything
        parts = []
    return f"<{' '.join([kind, *parts])}>"


def _non_default(obj) -> Iterator[tuple[str, str]]:
    """(name, text) of each argument that is not the constructor's default."""
    values = _values(obj)
    for name, default in _defaults(type(obj)).items():
        if name not in values or _is_automatic(obj, name, values[name], default):
            continue
        # Texts are compared, not values: `==` of arrays gives arrays.
        text = short(values[name])
        if text != short(default):
            yield name, text


def _is_automatic(obj, name, value, default):
    """Did the object choose the value itself, because the argument was left out?"""
    if name == "name":
        automatic = to_snake_case(type(obj).__name__)
        return default is None and str(value).startswith(automatic)
    return name == "dtype" and default is None and value == "float32"


def _values(obj) -> dict[str, Any]:
    """The attributes of an object and, for classes of the library, its config."""
    values = dict(vars(obj))
    # A user's `get_config` could be slow, or read whole arrays.
    get_config = getattr(type(obj), "get_config", None)
    if (getattr(get_config, "__module__", None) or "").startswith("minikeras."):
        try:
            config = obj.get_config()
            # If an attribute is an object and its config a dict, the object is shown,
            # because it prints shorter.
            nested = {key for key, x in config.items() if isinstance(x, dict)}
            values |= {k: x for k, x in config.items() if k not in nested & {*values}}
        except Exception:  # the constructor is not through, or no file can hold it
            pass
    return values


def _defaults(cls) -> dict[str, Any]:
    """The constructor's parameters with their defaults, through `**kwargs`."""
    found: dict[str, Any] = {}
    for base in cls.__mro__[:-1]:
        if "__init__" not in vars(base):
            continue
        # From `vars`, because a class inherits the `__signature__` of its base.
        signature = vars(base).get("__signature__") or inspect.signature(base.__init__)
        parameters = signature.parameters.values()
        for p in parameters:
            named = p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
            if named and p.name != "self":
                found.setdefault(p.name, p.default)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def visible(obj: Any) -> list[str]:
    """`dir` of an object without the private members of the library."""
    return [name for name in object.__dir__(obj) if not name.startswith("_mk_")]


def short(value: Any) -> str:
    """The value in a few characters."""
    try:
        text = _short(value)
    except Exception:  # a deleted buffer, a traced number, a `__repr__` that fails
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _short(value):
    """The value in words; it may fail, and be of any length."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is None or isinstance(value, (bool, int, str)):
        return repr(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        shape = tuple(value.shape)
        if shape:
            return f"<{type(value).__name__} {shape} {value.dtype}>"
        return _short(getattr(value, "value", value).item())
    if isinstance(value, dict) and "class_name" in value:
        return f"<{value['class_name']}>"
    if isinstance(value, (list, tuple, set)):
        shown = ", ".join(short(x) for x in list(value)[:_MANY])
        return f"[{shown}{', …' * (len(value) > _MANY)}]"
    if isinstance(value, dict):
        return f"{{…{len(value)}}}" if value else "{}"
    if inspect.isroutine(value) or inspect.isclass(value):
        return value.__name__
    ours = type(value).__repr__ is not object.__repr__
    return repr(value) if ours else f"<{type(value).__name__}>"

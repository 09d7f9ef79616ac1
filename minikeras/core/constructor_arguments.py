"""The constructor arguments of an object: their names, and the values given."""

import functools
import inspect
from typing import Any

import jax
import numpy as np

from minikeras.core import registry


@functools.cache
def init_parameters(cls: type) -> tuple[str, ...]:
    """Names of the constructor's own parameters, without self, * and **."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind not in kinds)


# The config of an argument that is no plain value but an object, or holds objects: a
# dict with this class name. A user's own dicts stay what they are.
OBJECT_ARGUMENT = "__argument__"
_PLAIN = (str, bool, int, float, type(None))


def init_config(
    obj: Any,
    base: dict[str, Any],
    with_objects: bool = False,
    has_positional: bool = False,
) -> dict[str, Any]:
    """The config of a user's class without `get_config`: its constructor arguments.

    Args:
        obj: the object; `obj._mk_init_arguments` has the (args, kwargs) of its
            constructor.
        base: entries that the config has in any case.
        with_objects: bool, whether arguments may be layers and other objects that files
            can hold, and lists and dicts of them.
        has_positional: bool, whether `base` has what positional arguments without names
            stand for.

    Raises:
        NotImplementedError: a file cannot hold an argument.
    """
    cls = type(obj)
    args, kwargs = obj._mk_init_arguments
    signature = inspect.signature(cls.__init__)
    try:
        bound = signature.bind(obj, *args, **kwargs)
    except TypeError:
        # `__new__` was called with other arguments than `__init__`.
        return base
    bound.apply_defaults()
    values = dict(list(bound.arguments.items())[1:])
    for name, parameter in list(signature.parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(values.pop(name, {}))
        elif parameter.kind is parameter.VAR_POSITIONAL and has_positional:
            values.pop(name, None)
        elif parameter.kind is parameter.POSITIONAL_ONLY or (
            parameter.kind is parameter.VAR_POSITIONAL and values.pop(name, None)
        ):
            raise NotImplementedError(
                f"{cls.__name__} was made with values for `{parameter}`, which a "
                "config cannot name. Define `get_config()` and `from_config()` in "
                f"{cls.__name__}."
            )
    # An object in the config would look saved and come back as a dict, so the error
    # comes when the file is written, not when it is read.
    own = {k: v for k, v in values.items() if k not in base}
    for name, value in own.items():
        if _is_plain(value):
            continue
        own[name] = {"class_name": OBJECT_ARGUMENT, "config": value}
        if not (with_objects and _is_plain(value, _is_object)):
            raise NotImplementedError(
                f"{cls.__name__} was made with {name}={value!r}, which a file cannot "
                f"hold. Define `get_config()` in {cls.__name__}: return "
                "{**super().get_config(), ...} with JSON-ready values, and turn them "
                "back in `__init__` or `from_config`."
            )
    return {**base, **own}


def _is_plain(value, also=lambda x: False):
    if isinstance(value, (list, tuple)):
        return all(_is_plain(x, also) for x in value)
    if isinstance(value, dict):
        # JSON turns the keys into strings.
        return all(
            isinstance(k, _PLAIN) and _is_plain(x, also) for k, x in value.items()
        )
    return isinstance(value, _PLAIN) or also(value)


def _is_object(value):
    """Can a file hold the object, so that it is found again?"""
    if inspect.isclass(value) or inspect.isfunction(value):
        return registry.is_known(value)
    return hasattr(value, "get_config") or isinstance(value, (np.ndarray, jax.Array))

"""What an object was made with: the constructor's parameters and the values given."""

import functools
import inspect


@functools.cache
def init_parameters(cls) -> tuple[str, ...]:
    """Names of the constructor's own parameters, without self, * and **."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind not in kinds)


def init_config(obj, base):
    """Config of a user's class that has no `get_config`: what it was made with.

    Raises:
        NotImplementedError: an argument that a file cannot hold.
    """
    cls = type(obj)
    args, kwargs = obj._mk_init_arguments
    try:
        given = inspect.signature(cls.__init__).bind(obj, *args, **kwargs)
    except TypeError:
        return base
    given.apply_defaults()
    values = dict(list(given.arguments.items())[1:])
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(values.pop(name, {}))
        elif parameter.kind is parameter.VAR_POSITIONAL and values.pop(name, None):
            raise NotImplementedError(
                f"{cls.__name__} was made with values for *{name}, which a config "
                f"cannot name. Define `get_config()` and `from_config()` in "
                f"{cls.__name__}."
            )
    own = {k: v for k, v in values.items() if k not in base}
    for name, value in own.items():
        if not _is_plain(value):
            raise NotImplementedError(
                f"{cls.__name__} was made with {name}={value!r}, which a file cannot "
                f"hold. Define `get_config()` in {cls.__name__}: return "
                "{**super().get_config(), ...} with JSON-ready values, and turn them "
                "back in `__init__` or `from_config`."
            )
    return {**base, **own}


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, (str, bool, int, float))

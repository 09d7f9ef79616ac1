"""The constructor's arguments as a config: declared once, read from the attributes."""

import functools
import inspect
import reprlib
from collections.abc import Mapping
from typing import Any

from minikeras import activations, constraints, initializers, regularizers
from minikeras.core import registry
from minikeras.core.constructor_arguments import (
    OBJECT_ARGUMENT,
    init_config,
    init_parameters,
)
from minikeras.core.dtype_policy import DTypePolicy, get_policy
from minikeras.core.serialization import (
    deserialize_keras_object,
    places,
    serialize_keras_object,
)

# The arguments of `Layer.__init__` itself; `get_config` writes them for every layer.
_COMMON = {"activity_regularizer", "trainable", "dtype", "autocast", "name"}
# {last word of an argument: function that turns a name or config into an object}
_FAMILIES = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}
# What else `locals()` holds in the first lines of a constructor.
_NO_ARGUMENTS = frozenset({"self", "kwargs", "__class__"})


def own_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """{argument: value}, in order, of the `locals()` at the start of a constructor."""
    return {k: v for k, v in arguments.items() if k not in _NO_ARGUMENTS}


class ConstructorConfig:
    """Mix-in of Layer: `get_config` and `from_config`.

    The config shows the attributes that have the names of the constructor's arguments,
    so a layer of the library needs no `get_config` of its own. It may declare where
    Keras's config differs.

    Attributes:
        _mk_not_in_config: arguments that the config does not show.
        _mk_always_in_config: arguments of `Layer` that the config shows although they
            are None. Other layers leave them out then.
    """

    _mk_not_in_config: tuple[str, ...] = ()
    _mk_always_in_config: tuple[str, ...] = ()

    def _mk_set_arguments(self, arguments):
        """Set an attribute for each argument of the constructor.

        The last word of the argument's name decides: names and configs of an
        `…activation`, `…initializer`, `…regularizer` or `…constraint` become objects.
        Other values do not change.

        Args:
            arguments: `locals()` in the first lines of the constructor.
        """
        for name, value in arguments.items():
            if name not in _NO_ARGUMENTS:
                get = _FAMILIES.get(name.rpartition("_")[2])
                setattr(self, name, get(value) if get else value)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as a JSON-ready dict."""
        config = dict.fromkeys(self._mk_always_in_config)
        config |= {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self._mk_dtype_policy),
        }
        if (penalty := self.activity_regularizer) is not None:
            config["activity_regularizer"] = serialize_keras_object(penalty)
        parameters = _library_parameters(type(self))
        # A user's class without `get_config`: the arguments that it was called with.
        inherited = type(self).get_config is ConstructorConfig.get_config
        own = not type(self).__module__.startswith("minikeras.")
        if inherited and own and not parameters:
            return init_config(self, config, with_objects=True)
        config |= {p: config_value(getattr(self, p)) for p in parameters}
        return {k: v for k, v in config.items() if k not in self._mk_not_in_config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a new layer from a config.

        Args:
            config: dict, as `get_config()` returns it.

        Raises:
            TypeError: the constructor does not accept it.
        """
        config = {name: argument_value(value) for name, value in config.items()}
        if isinstance(config.get("dtype"), dict):
            # A plain policy goes in by its name, as users write it.
            policy = get_policy(config["dtype"])
            plain = type(policy) is DTypePolicy
            config = {**config, "dtype": policy.name if plain else policy}
        try:
            return cls(**config)
        except Exception as error:
            if places(error):  # an object in the config failed
                raise
            raise TypeError(
                f"{cls.__name__} could not be made from config="
                f"{reprlib.repr(config)}: {error}"
            ) from error


@functools.cache
def _library_parameters(cls):
    """Names of the constructor parameters of `cls` and of its library bases."""
    # A user's subclass of Dense with its own constructor still has Dense's settings;
    # its own arguments need a `get_config`, as in Keras.
    owners = [
        c
        for c in reversed(cls.__mro__)
        if c.__module__.startswith("minikeras.")
        and "__init__" in vars(c)
        and issubclass(c, ConstructorConfig)
    ]
    names = dict.fromkeys(p for c in owners for p in init_parameters(c))
    return tuple(n for n in names if n not in _COMMON)


def argument_value(value: Any) -> Any:
    """The argument of a constructor that a value of a config stands for."""
    if isinstance(value, dict) and value.get("class_name") == OBJECT_ARGUMENT:
        # Objects become configs first: a config may not have passed through a file.
        return deserialize_keras_object(serialize_keras_object(value["config"]))
    return value


def config_value(value: Any) -> Any:
    """Turn an attribute into a value of a config: name, config dict or plain value."""
    # Functions of the library are written by name alone, as Keras does.
    if inspect.isfunction(value) and registry.module_of(value):
        return value.__name__
    if isinstance(value, (list, tuple)) and any(
        hasattr(v, "get_config") for v in value
    ):
        return [config_value(v) for v in value]
    if hasattr(value, "get_config") or inspect.isfunction(value):
        return serialize_keras_object(value)
    return value

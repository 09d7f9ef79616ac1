"""`get`, `serialize` and `deserialize` of one kind of object, such as losses."""

import inspect
from collections.abc import Mapping
from typing import Any

from minikeras.core import registry
from minikeras.core.naming import to_snake_case
from minikeras.core.registry import did_you_mean, get_registered_object
from minikeras.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)


class Family:
    """The objects of one kind, with their `get`, `serialize` and `deserialize`.

    Args:
        name: last part of the public module, `"losses"`.
        what: name of one of them in errors, `"loss"`.
        names: {identifier: class or function}; classes are also known by their
            snake-case names.
        instantiate: does `get` of a class name make an object of it?
    """

    def __init__(
        self, name: str, what: str, names: Mapping[str, Any], instantiate: bool = True
    ):
        self.what, self.instantiate = what, instantiate
        self.names = dict(names)
        for key, obj in names.items():
            if inspect.isclass(obj):
                self.names.setdefault(to_snake_case(key), obj)
        registry.add_family(name, self)

    def find(self, name: str, custom_objects: dict[str, Any] | None = None) -> Any:
        """The class or function called `name`; ValueError with a suggestion."""
        # The user's own names come first, as in Keras: they may replace ours.
        found = get_registered_object(name, custom_objects)
        if found is None:
            found = self.names.get(name)
        if found is None:
            raise ValueError(
                f"Unknown {self.what}: {name!r}.{did_you_mean(name, self.names)} "
                "A class or function of your own is passed as it is, or registered "
                "with keras.saving.register_keras_serializable()."
            )
        return found

    def get(self, identifier: Any) -> Any:
        """The object that is meant by a name, config dict, class, function or object.

        Args:
            identifier: one of these, or None, which gives None.

        Raises:
            ValueError: unknown name, or none of these.
        """
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            obj = self.deserialize(identifier)
        elif isinstance(identifier, str):
            obj = self.find(identifier)
        else:
            obj = identifier
        if inspect.isclass(obj) and self.instantiate:
            obj = obj()
        if not callable(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"Could not interpret {self.what}: {identifier!r}. Expected a name, a "
                "config dict, a function or an object."
            )
        return obj

    def serialize(self, obj: Any) -> Any:
        """Turn an object into a name or a JSON-ready config.

        Args:
            obj: object, class or function of this kind.

        Returns:
            The name of a function, else a dict that `deserialize` takes.
        """
        # Keras writes functions of its own by name alone, others with their module.
        name = getattr(obj, "__name__", None)
        if name is not None and self.names.get(name) is obj:
            return name
        config = serialize_keras_object(obj)
        if isinstance(config, dict) and config.get("class_name") == "function":
            return config["config"]
        return config

    def deserialize(
        self, config: Any, custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Turn the result of `serialize` into an object.

        Args:
            config: name or config dict.
            custom_objects: {name: class or function} besides the registered ones.

        Raises:
            ValueError: unknown name, or a dict without `"class_name"`.
        """
        if isinstance(config, str):
            found = self.find(config, custom_objects)
            return found() if inspect.isclass(found) and self.instantiate else found
        if isinstance(config, dict) and "class_name" not in config:
            raise ValueError(
                f"Cannot make a {self.what} of {config!r}: expected a dict with "
                "'class_name' and 'config', as `serialize` gives."
            )
        return deserialize_keras_object(config, custom_objects, family=self)

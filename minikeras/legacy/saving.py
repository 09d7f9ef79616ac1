"""`keras.legacy.saving`: configs as Keras 2 wrote them, without modules."""

import inspect
from typing import Any

from minikeras.core import registry, serialization
from minikeras.saving.upgrades import upgrade_config

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """Turn an object into its class name and config, a function into its name.

    Args:
        instance: function, object with `get_config()`, or None, which stays None.

    Returns:
        `{"class_name": …, "config": …}`, a name, or None.

    Raises:
        ValueError: an object without `get_config()`.

    >>> from minikeras import initializers
    >>> serialize_keras_object(initializers.Constant(3.0))
    {'class_name': 'Constant', 'config': {'value': 3.0}}
    """
    if instance is None:
        return None
    if inspect.isfunction(instance):
        return registry.get_registered_name(instance)
    if not hasattr(instance, "get_config"):
        raise ValueError(
            f"serialize_keras_object: {instance!r} has no `get_config()`, so a file "
            "cannot hold it."
        )
    config = serialization.serialize_keras_object(instance)
    name = registry.get_registered_name(type(instance))
    return {"class_name": name, "config": config["config"]}


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Turn a config or name of Keras 2 into the object.

    Args:
        identifier: dict of `serialize_keras_object`, name, function, or None.
        module_objects: {name: class or function} that is asked last.
        custom_objects: {name: class or function} besides the registered ones.
        printable_module_name: what errors call the object.

    Returns:
        The object; for the name of a class, a new object with its defaults.

    Raises:
        ValueError: an unknown name, or something else than a config or a name.

    >>> deserialize_keras_object({"class_name": "Dropout", "config": {"p": 0.5}}).rate
    0.5
    """
    if identifier is None or inspect.isfunction(identifier):
        return identifier
    is_name = isinstance(identifier, str)
    if not is_name and not (
        serialization.is_config(identifier) and "config" in identifier
    ):
        raise ValueError(
            f"deserialize_keras_object: expected a name, or a dict with 'class_name' "
            f"and 'config', got {identifier!r}."
        )
    found = serialization.deserialize_keras_object(
        identifier if is_name else upgrade_config(identifier),
        custom_objects,
        module_objects={**registry.get_custom_objects(), **(module_objects or {})},
        printable_module_name=printable_module_name,
    )
    return found() if is_name and inspect.isclass(found) else found

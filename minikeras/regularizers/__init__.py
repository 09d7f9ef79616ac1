"""Regularizers: penalties `regularizer(x)` that are added to the loss."""

from minikeras.core import registry
from minikeras.regularizers.regularizers import (
    L1,
    L1L2,
    L2,
    OrthogonalRegularizer,
    Regularizer,
)
from minikeras.core.family import Family as _Family

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_family = _Family(
    "regularizers",
    "regularizer",
    {
        "L1": L1,
        "L1L2": L1L2,
        "L2": L2,
        "OrthogonalRegularizer": OrthogonalRegularizer,
        "Regularizer": Regularizer,
        "l1_l2": L1L2,
    },
)


def get(identifier):
    """Make a regularizer from its name, config or class.

    Args:
        identifier: name, config dict or class; a function, object or None is
            returned unchanged.

    Raises:
        ValueError: unknown name, or something else.

    >>> get("l1_l2").get_config()
    {'l1': 0.0, 'l2': 0.0}
    """
    return _family.get(identifier)


def deserialize(config, custom_objects=None):
    """Make a regularizer from its config or name.

    Args:
        config: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.
    """
    return _family.deserialize(config, custom_objects)


def serialize(regularizer):
    """Write a regularizer as a config dict that `deserialize` reads.

    Args:
        regularizer: a `Regularizer` or a function.
    """
    return _family.serialize(regularizer)


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
registry.register_all("keras.regularizers", globals())

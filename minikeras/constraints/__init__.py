"""Constraints: functions `constraint(w)` that are applied to weights after each step."""

from minikeras.constraints.constraints import (
    Constraint,
    MaxNorm,
    MinMaxNorm,
    NonNeg,
    UnitNorm,
)
from minikeras.core import registry
from minikeras.core.family import Family as _Family

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_family = _Family(
    "constraints",
    "constraint",
    {
        "Constraint": Constraint,
        "MaxNorm": MaxNorm,
        "MinMaxNorm": MinMaxNorm,
        "NonNeg": NonNeg,
        "UnitNorm": UnitNorm,
    },
)


def get(identifier):
    """Make a constraint from its name, config or class.

    Args:
        identifier: name, config dict or class; a function, object or None is
            returned unchanged.

    Raises:
        ValueError: unknown name, or something else.

    >>> get("max_norm").max_value
    2
    """
    return _family.get(identifier)


def deserialize(config, custom_objects=None):
    """Make a constraint from its config or name.

    Args:
        config: config dict as `serialize` returns it, or a name.
        custom_objects: {name: class or function} of your own that the config names.
    """
    return _family.deserialize(config, custom_objects)


def serialize(constraint):
    """Write a constraint as a config dict that `deserialize` reads.

    Args:
        constraint: a `Constraint` or a function.
    """
    return _family.serialize(constraint)


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
registry.register_all("keras.constraints", globals())

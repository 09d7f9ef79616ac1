"""Projections that keep weights in a set: `constraint(w)` after each update."""

from minikeras.constraints.constraints import (
    Constraint,
    MaxNorm,
    MinMaxNorm,
    NonNeg,
    UnitNorm,
)
from minikeras.core import registry
from minikeras.core.family import Family

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_family = Family(
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
get = _family.get
deserialize = _family.deserialize


def serialize(constraint):
    """A constraint -> its config dict."""
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

"""Penalties on weights or outputs: `regularizer(x)` is added to the loss."""

from minikeras.core import registry
from minikeras.regularizers.regularizers import (
    L1,
    L1L2,
    L2,
    OrthogonalRegularizer,
    Regularizer,
)
from minikeras.core.family import Family

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_family = Family(
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
get = _family.get
deserialize = _family.deserialize


def serialize(regularizer):
    """A regularizer -> its config dict."""
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

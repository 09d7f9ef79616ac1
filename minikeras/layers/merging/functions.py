"""The merging layers as functions: `add([x, y])` is `Add()([x, y])`."""

from minikeras.layers.merging.concatenate import Concatenate
from minikeras.layers.merging.dot import Dot
from minikeras.layers.merging.elementwise import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)


def add(inputs, **kwargs):
    """x1 + x2 + ... of a list of arrays or KerasTensors."""
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """x1 - x2 of a list of two arrays or KerasTensors."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """x1 * x2 * ... of a list of arrays or KerasTensors."""
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """The mean of a list of arrays or KerasTensors, entry by entry."""
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """The largest of each entry of a list of arrays or KerasTensors."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """The smallest of each entry of a list of arrays or KerasTensors."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """Join a list of arrays or KerasTensors along an axis."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs, axes=-1, **kwargs):
    """Inner products of two arrays or KerasTensors, sample by sample."""
    return Dot(axes=axes, **kwargs)(inputs)

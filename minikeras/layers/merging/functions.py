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
    """Add inputs: x1 + x2 + ...

    Args:
        inputs: list of arrays or KerasTensors (batch, ...) whose samples broadcast.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Returns:
        Array or KerasTensor of the broadcast shape.

    >>> keras.layers.add([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[2.0, 2.0]]
    """
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """Subtract the second of two inputs from the first: x1 - x2.

    Args:
        inputs: list of arrays or KerasTensors (batch, ...) whose samples broadcast.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Returns:
        Array or KerasTensor of the broadcast shape.

    >>> keras.layers.subtract([np.ones((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """Multiply inputs: x1 * x2 * ...

    Args:
        inputs: list of arrays or KerasTensors (batch, ...) whose samples broadcast.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Returns:
        Array or KerasTensor of the broadcast shape.

    >>> keras.layers.multiply([np.full((1, 2), 3.0), np.full((1, 2), 2.0)]).tolist()
    [[6.0, 6.0]]
    """
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """Average inputs: (x1 + x2 + ... + xn) / n.

    Args:
        inputs: list of arrays or KerasTensors (batch, ...) whose samples broadcast.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Returns:
        Array or KerasTensor of the broadcast shape.

    >>> keras.layers.average([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.5, 0.5]]
    """
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """Take the largest value of each entry: max(x1, x2, ...).

    Args:
        inputs: list of arrays or KerasTensors (batch, ...) whose samples broadcast.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Returns:
        Array or KerasTensor of the broadcast shape.

    >>> keras.layers.maximum([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[1.0, 1.0]]
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """Take the smallest value of each entry: min(x1, x2, ...).

    Args:
        inputs: list of arrays or KerasTensors (batch, ...) whose samples broadcast.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Returns:
        Array or KerasTensor of the broadcast shape.

    >>> keras.layers.minimum([np.zeros((1, 2)), np.ones((1, 2))]).tolist()
    [[0.0, 0.0]]
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """Join a list of arrays or KerasTensors along an axis.

    Args:
        inputs: list of arrays or KerasTensors whose other sizes agree.
        axis: int, the axis to join.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Returns:
        Array or KerasTensor with the sum of the sizes along `axis`.

    >>> keras.layers.concatenate([np.ones((2, 3)), np.ones((2, 1))]).shape
    (2, 4)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs, axes=-1, **kwargs):
    """Compute inner products of the samples of two arrays or KerasTensors.

    Args:
        inputs: [x, y], (batch, ...) each.
        axes: int, or a pair with one int for each input: the axes to contract.
        **kwargs: `normalize` of `Dot`; `name`, `dtype` and the other arguments of
            `keras.Layer`.

    Returns:
        (batch, other axes of x, other axes of y), or (batch, 1).

    >>> keras.layers.dot([np.ones((2, 3)), np.ones((2, 3))], axes=1).tolist()
    [[3.0], [3.0]]
    """
    return Dot(axes=axes, **kwargs)(inputs)

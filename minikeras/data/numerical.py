"""One-hot encoding of class numbers, and division by the norm."""

from typing import Any

import jax
import numpy as np

from minikeras.settings import floatx


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot encode class numbers.

    Args:
        x: integers in [0, num_classes), of any shape; a last axis of size 1 is removed.
        num_classes: > 0; None: the largest class number + 1.

    Returns:
        Array of shape (*x.shape, num_classes): NumPy float64 for NumPy arrays and
        lists, JAX `floatx()` for JAX arrays.

    Raises:
        IndexError: a class number in a NumPy array is not below `num_classes`.
        ValueError: `x` is empty, and `num_classes` is None.

    >>> keras.utils.to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    if isinstance(x, jax.Array):
        return _one_hot(x, num_classes)
    x = np.asarray(x, dtype="int64")
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    if not num_classes:
        if x.size == 0:
            raise ValueError("to_categorical: no labels; pass `num_classes`.")
        num_classes = int(x.max()) + 1
    rows = np.zeros((x.size, num_classes))
    rows[np.arange(x.size), x.reshape(-1)] = 1.0
    return rows.reshape(*x.shape, num_classes)


def _one_hot(x, num_classes):
    """`to_categorical` of a JAX array."""
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    if not num_classes:
        num_classes = int(x.max()) + 1
    return jax.nn.one_hot(x, num_classes, dtype=floatx())


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """x / ‖x‖ along an axis, and 0 where the norm is 0.

    Args:
        x: array or list.
        axis: axis over which the norm is taken.
        order: order of the norm, as in `numpy.linalg.norm`.

    Returns:
        Array of the shape of `x`: JAX for JAX arrays, NumPy for others.

    >>> keras.utils.normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    numpy = jax.numpy if isinstance(x, jax.Array) else np
    x = numpy.asarray(x)
    norm = numpy.linalg.norm(x, ord=order, axis=axis, keepdims=True)
    return x / numpy.where(norm == 0, 1, norm)

"""One-hot labels and unit-length rows."""

import jax
import numpy as np

from minikeras.settings import floatx


def to_categorical(x, num_classes=None):
    """One row of zeros and a one for each class number.

    Args:
        x: class numbers 0, 1, …, of any shape; a last axis of length 1 is dropped.
        num_classes: length of a row, by default the largest class number plus one.

    Returns:
        Array of shape `x.shape + (num_classes,)`: float64 for NumPy arrays and lists,
        `floatx()` for JAX arrays.

    Raises:
        IndexError: a class number of a NumPy array is too large for `num_classes`.

    >>> to_categorical([0, 2])
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
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    if not num_classes:
        num_classes = int(x.max()) + 1
    return jax.nn.one_hot(x, num_classes, dtype=floatx())


def normalize(x, axis=-1, order=2):
    """Divide by the norm along an axis: `x / norm(x)`, and 0 where that is 0.

    Args:
        x: array or list.
        axis: axis along which the norm is taken.
        order: order of the norm, as in `numpy.linalg.norm`.

    Returns:
        Array like `x`: JAX for JAX, else NumPy.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    numpy = jax.numpy if isinstance(x, jax.Array) else np
    x = numpy.asarray(x)
    norm = numpy.linalg.norm(x, ord=order, axis=axis, keepdims=True)
    return x / numpy.where(norm == 0, 1, norm)

"""Encodings of class labels."""

import jax
import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.late_import import late_import
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import nn_op

__all__ = [
    "multi_hot", "one_hot",
]  # fmt: skip


@nn_op
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """Vectors with a 1 at the class index and zeros elsewhere.

    Args:
        x: array of class indices; one out of range gives zeros.
        num_classes: int, the length of the vectors.
        axis: int, the place of the new axis.
        dtype: `floatx()` by default.
        sparse: return a sparse `BCOO` array.

    Returns:
        Array with a new axis of size `num_classes`.

    >>> one_hot([1, 0], 3).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    dtype = dtypes.as_jax(dtype)
    x = as_array(x)
    if jnp.issubdtype(x.dtype, jnp.floating):
        x = x.astype("int32")
    hot = jax.nn.one_hot(x, num_classes, dtype=dtype, axis=axis)
    return as_sparse(hot, x.size) if sparse else hot


def as_sparse(hot, count):
    """A sparse array of at most `count` entries."""
    # `nse` is static, so that it runs under `jit`.
    BCOO = late_import("jax.experimental.sparse").BCOO
    entries = BCOO.fromdense(hot, nse=count)
    data = entries.data.astype(hot.dtype)  # bools have become integers
    return BCOO((data, entries.indices), shape=hot.shape)


@nn_op(tensors=("inputs",))
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """Vectors with a 1 at each of the class indices of a sample.

    Args:
        inputs: (…, n) array of class indices; those out of range are ignored.
        num_classes: int, the length of the vectors.
        axis: int, the place of the axis of the classes.
        dtype: `floatx()` by default.
        sparse: return a sparse `BCOO` array.
        **kwargs: `num_tokens`, the old name of `num_classes`.

    Returns:
        (…, num_classes) array.

    Raises:
        ValueError: `num_classes` is missing.

    >>> multi_hot([[0, 2]], 3).tolist()
    [[1.0, 0.0, 1.0]]
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None:
        raise ValueError("multi_hot: num_classes must be given.")
    inputs = as_array(inputs)
    hot = one_hot(inputs, num_classes, axis, dtype)
    hot = jnp.max(hot, axis=1 if inputs.ndim > 1 else 0)
    return as_sparse(hot, inputs.size) if sparse else hot

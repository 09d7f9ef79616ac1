"""Functions that join arrays, split them and repeat their entries."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.arguments import normalize_axis
from minikeras.ops.convert import as_array, promote
from minikeras.ops.op_makers import document
from minikeras.ops.sparse import by_jax

__all__ = [
    "append", "array_split", "concatenate", "dsplit", "dstack", "hsplit", "hstack",
    "repeat", "split", "stack", "tile", "vsplit", "vstack",
]  # fmt: skip


@op
def append(x1, x2, axis=None):
    """`x1` with `x2` appended along an axis.

    Args:
        x1: array.
        x2: array that differs in its size along `axis` at most.
        axis: int, or None for both flattened.

    Returns:
        Array of the common dtype.

    >>> append([[1, 2]], [[3, 4]], axis=0).tolist()
    [[1, 2], [3, 4]]
    """
    x1, x2 = promote(x1, x2)
    return jnp.append(x1, x2, axis)


def _concatenate_spec(trace, xs, axis=0):
    """The KerasTensor of `concatenate`; Keras's graphs have no `axis=None`."""
    if axis is None:
        raise ValueError(
            "concatenate: KerasTensors are joined along one axis, got axis=None. "
            "Flatten them first, by `reshape(x, -1)`."
        )
    return trace(xs)


@op(spec=_concatenate_spec)
@by_jax
def concatenate(xs, axis=0):
    """Arrays joined along one of their axes.

    Args:
        xs: list of arrays that differ in their sizes along `axis` at most.
        axis: int, or None for all flattened.

    Returns:
        Array of the common dtype.

    Raises:
        ValueError: `axis` is None and there is a KerasTensor.

    >>> concatenate([[[1], [2]], [[3], [4]]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.concatenate(promote(*xs), axis)


@op
def stack(x, axis=0):
    """Arrays joined along a new axis.

    Args:
        x: list of arrays of one shape.
        axis: int, the place of the new axis in the result.

    Returns:
        Array of the common dtype with one more axis.

    >>> stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.stack(promote(*x), axis)


@op
def hstack(xs):
    """Arrays joined along axis 1, or along axis 0 if they have one axis.

    Args:
        xs: list of arrays.

    Returns:
        Array of the common dtype.

    >>> hstack([[[1], [2]], [[3], [4]]]).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.hstack(promote(*xs))


@op
def vstack(xs):
    """Arrays joined along axis 0; those of one axis are rows.

    Args:
        xs: list of arrays.

    Returns:
        Array of the common dtype, of at least two axes.

    >>> vstack([[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    """
    return jnp.vstack(promote(*xs))


@op
def dstack(xs):
    """Arrays joined along axis 2, which is added where it is missing.

    Args:
        xs: list of arrays.

    Returns:
        Array of the common dtype, of at least three axes.

    >>> dstack([[1, 2], [3, 4]]).tolist()
    [[[1, 3], [2, 4]]]
    """
    return jnp.dstack(promote(*xs))


@op
def split(x, indices_or_sections, axis=0):
    """Parts of an array along an axis.

    Args:
        x: array of at least one axis.
        indices_or_sections: int, the number of equal parts; or the ascending indices
            at which a new part starts.
        axis: int.

    Returns:
        List of arrays.

    >>> [part.tolist() for part in split([1, 2, 3, 4], [1, 3])]
    [[1], [2, 3], [4]]
    """
    x = as_array(x)
    return jnp.split(x, indices_or_sections, normalize_axis(axis, x.ndim))


@op
def array_split(x, indices_or_sections, axis=0):
    """Parts of an array along an axis, whose sizes differ by at most 1.

    Args:
        x: array of at least one axis.
        indices_or_sections: int, the number of parts.
        axis: int.

    Returns:
        List of arrays, the longer ones first.

    Raises:
        TypeError: `indices_or_sections` is no int.

    >>> [part.tolist() for part in array_split([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    if not isinstance(indices_or_sections, int):
        raise TypeError(
            "array_split: Argument `indices_or_sections` must be of type `int`, got "
            f"{indices_or_sections!r}. Use `split` to split at indices."
        )
    return jnp.array_split(as_array(x), indices_or_sections, axis)


def _splitter(function, where, example):
    """The op `function(x, indices_or_sections)`, which splits along one axis."""

    def call(x, indices_or_sections):
        return function(as_array(x), indices_or_sections)

    name = call.__name__ = call.__qualname__ = function.__name__
    sections = "int, the number of equal parts; or the indices where parts start."
    arguments = {"x": "array.", "indices_or_sections": sections}
    formula = f"Parts of an array along {where}."
    call.__doc__ = document(name, formula, arguments, "list of arrays.", example)
    return op(call)


dsplit = _splitter(
    jnp.dsplit,
    "axis 2",
    ">>> [a.tolist() for a in dsplit([[[1, 2]]], 2)]\n[[[[1]]], [[[2]]]]",
)
hsplit = _splitter(
    jnp.hsplit,
    "axis 1, or along axis 0 if it has one axis",
    ">>> [a.tolist() for a in hsplit([[1, 2], [3, 4]], 2)]\n[[[1], [3]], [[2], [4]]]",
)
vsplit = _splitter(
    jnp.vsplit,
    "axis 0",
    ">>> [a.tolist() for a in vsplit([[1, 2], [3, 4]], 2)]\n[[[1, 2]], [[3, 4]]]",
)


def _repeat_spec(trace, x, repeats, axis=None):
    """An unknown size for repeats along an axis of unknown size."""
    # As in Keras, also if a list of repeats would tell the size.
    out = trace(x)
    if axis is None or x.shape[axis] is not None:
        return out
    shape = list(out.shape)
    shape[axis] = None
    return KerasTensor(shape, out.dtype)


@op(tensors=("x",), spec=_repeat_spec)
def repeat(x, repeats, axis=None):
    """Each entry repeated along an axis.

    Args:
        x: array of any shape.
        repeats: int, or array of ints, one for each entry along `axis`.
        axis: int, or None for the flattened array.

    Returns:
        Array that is longer along `axis`.

    >>> repeat([1, 2], [1, 3]).tolist()
    [1, 2, 2, 2]
    """
    # numpy arrays stay concrete in a trace, and the repeats decide the shape.
    repeats = repeats if isinstance(repeats, jax.Array) else np.asarray(repeats)
    return jnp.repeat(as_array(x), repeats, axis)


@op
def tile(x, repeats):
    """The whole array repeated along each axis.

    Args:
        x: array of any shape.
        repeats: int, or tuple of ints, one for each axis.

    Returns:
        Array of sizes · repeats.

    >>> tile([1, 2], (2, 2)).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    return jnp.tile(as_array(x), repeats)

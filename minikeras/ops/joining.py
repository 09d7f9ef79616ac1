"""Functions that join arrays, split them and repeat their entries."""

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, promote
from minikeras.ops.reshaping import axis_within
from minikeras.ops.sparse import by_jax

__all__ = [
    "append",
    "array_split",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "repeat",
    "split",
    "stack",
    "tile",
    "vsplit",
    "vstack",
]


@op
def append(x1, x2, axis=None):
    """`x2` after `x1` along `axis`; None flattens both first."""
    x1, x2 = promote(x1, x2)
    return jnp.append(x1, x2, axis)


def _concatenate_spec(trace, xs, axis=0):
    """Keras's graphs have no `axis=None`."""
    if axis is None:
        raise ValueError(
            "concatenate: KerasTensors are joined along one axis, got axis=None. "
            "Flatten them first, by `reshape(x, -1)`."
        )
    return trace(xs)


@op(spec=_concatenate_spec)
@by_jax
def concatenate(xs, axis=0):
    """Arrays joined along an axis that they have.

    >>> concatenate([[1, 2], [3]]).tolist()
    [1, 2, 3]
    """
    return jnp.concatenate(promote(*xs), axis)


@op
def stack(x, axis=0):
    """Arrays of one shape joined along a new axis."""
    return jnp.stack(promote(*x), axis)


@op
def hstack(xs):
    """Arrays joined along axis 1, or 0 if they have no other."""
    return jnp.hstack(promote(*xs))


@op
def vstack(xs):
    """Arrays joined along axis 0, which those of one axis get as new."""
    return jnp.vstack(promote(*xs))


@op
def dstack(xs):
    """Arrays joined along axis 2, made where missing."""
    return jnp.dstack(promote(*xs))


@op
def split(x, indices_or_sections, axis=0):
    """Split into a number of equal parts, or at indices -> list.

    >>> [part.tolist() for part in split([1, 2, 3, 4], [1, 3])]
    [[1], [2, 3], [4]]
    """
    x = as_array(x)
    return jnp.split(x, indices_or_sections, axis_within(axis, x.ndim))


@op
def array_split(x, indices_or_sections, axis=0):
    """Split into parts whose sizes differ by at most 1 -> list."""
    if not isinstance(indices_or_sections, int):
        raise TypeError(
            "array_split: Argument `indices_or_sections` must be of type `int`, got "
            f"{indices_or_sections!r}. Use `split` to split at indices."
        )
    return jnp.array_split(as_array(x), indices_or_sections, axis)


def _splitter(function, doc):
    def call(x, indices_or_sections):
        return function(as_array(x), indices_or_sections)

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = doc
    return op(call)


dsplit = _splitter(jnp.dsplit, "`split` along axis 2.")
hsplit = _splitter(jnp.hsplit, "`split` along axis 1, or 0 if there is no other.")
vsplit = _splitter(jnp.vsplit, "`split` along axis 0.")


def _repeat_spec(trace, x, repeats, axis=None):
    """As in Keras a list of repeats does not tell an unknown size."""
    out = trace(x)
    if axis is None or x.shape[axis] is not None:
        return out
    shape = list(out.shape)
    shape[axis] = None
    return KerasTensor(shape, out.dtype)


@op(tensors=("x",), spec=_repeat_spec)
def repeat(x, repeats, axis=None):
    """Each entry `repeats` times in a row; None flattens first."""
    # Numbers of repeats stay numpy's under a trace: they decide the shape.
    repeats = repeats if isinstance(repeats, jax.Array) else np.asarray(repeats)
    return jnp.repeat(as_array(x), repeats, axis)


@op
def tile(x, repeats):
    """The whole array repeated along each axis."""
    return jnp.tile(as_array(x), repeats)

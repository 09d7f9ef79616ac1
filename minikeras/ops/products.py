"""Products of vectors, matrices and tensors, and what is computed from them."""

import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_operand
from minikeras.ops.op_makers import binary
from minikeras.ops.sparse import batched_product

__all__ = [
    "corrcoef", "correlate", "cross", "diff", "dot", "einsum", "inner", "kron",
    "matmul", "outer", "tensordot", "trace", "vdot",
]  # fmt: skip
kron = binary(
    jnp.kron,
    "Kronecker product: x2 scaled by each entry of x1.",
    "[[1, 2]], [[1], [3]] -> [[1, 2], [3, 6]]",
    returns="array whose sizes are the products of those of the operands.",
)
outer = binary(
    jnp.outer,
    "x1ᵢ · x2ⱼ for all entries of the flattened operands.",
    "[1, 2], [3, 4, 5] -> [[3, 4, 5], [6, 8, 10]]",
    returns="(size of x1, size of x2) array.",
)
vdot = binary(
    jnp.vdot,
    "Σ conj(x1) · x2 over all entries.",
    "[1, 2], [3, 4] -> 11",
    returns="scalar.",
)


@op
def inner(x1, x2):
    """Σ x1 · x2 over the last axes.

    Args:
        x1: (…, n) array or number.
        x2: (…, n) array or number.

    Returns:
        Array of the axes of `x1` before the last, then those of `x2`.

    Raises:
        ValueError: the last sizes differ.

    >>> inner([[1, 2], [3, 4]], [5, 6]).tolist()
    [17, 39]
    """
    x1, x2 = as_operand(x1), as_operand(x2)
    shapes = jnp.shape(x1), jnp.shape(x2)
    if all(shapes) and shapes[0][-1] != shapes[1][-1]:
        raise ValueError(
            "inner: the last dimension of `x1` and `x2` must match, got shapes "
            f"{shapes[0]} and {shapes[1]}."
        )
    return jnp.inner(x1, x2)


_INT8 = np.dtype("int8")


def _accumulator(*arrays):
    """The dtype in which products are summed: int32 for int8, None for JAX's choice."""
    # One product of int8 already overflows int8, and Keras returns int32.
    for x in arrays:
        if x.dtype != _INT8:
            return None
    return "int32"


@op
@batched_product
def matmul(x1, x2):
    """Matrix product Σₖ x1[…, i, k] · x2[…, k, j].

    Args:
        x1: (…, n, k) array, or (k,).
        x2: (…, k, m) array, or (k,).

    Returns:
        (…, n, m) array, where the leading axes broadcast; without n or m for a vector.
        Products of int8 are int32.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    x1, x2 = as_array(x1), as_array(x2)
    wide = _accumulator(x1, x2)
    # Eager calls without the argument take a shorter way in JAX.
    if wide is None:
        return jnp.matmul(x1, x2)
    return jnp.matmul(x1, x2, preferred_element_type=wide)


@op
def dot(x1, x2):
    """Σ x1 · x2 over the last axis of `x1` and the last but one of `x2`.

    Args:
        x1: array or number.
        x2: array or number; if it has one axis, the sum runs over that.

    Returns:
        Array of the other axes of `x1`, then those of `x2`.

    >>> dot([[1, 2], [3, 4]], [[5], [6]]).tolist()
    [[17], [39]]
    """
    return jnp.dot(as_operand(x1), as_operand(x2))


@op
def tensordot(x1, x2, axes=2):
    """Σ x1 · x2 over the given axes.

    Args:
        x1: array.
        x2: array.
        axes: int n, for the last n axes of `x1` and the first n of `x2`; or a pair of
            ints or lists: the axes of `x1` and those of `x2`.

    Returns:
        Array of the other axes of `x1`, then those of `x2`.

    >>> tensordot([[1, 2], [3, 4]], [[5, 6], [7, 8]], axes=[[0], [1]]).tolist()
    [[23, 31], [34, 46]]
    """
    return jnp.tensordot(as_array(x1), as_array(x2), axes)


@op(tensors=("operands",))
def einsum(subscripts, *operands, **kwargs):
    """Sum of products over the axes whose letters are missing in the result.

    Args:
        subscripts: "letters of the axes of each operand, … -> letters of the result".
        *operands: arrays.
        **kwargs: those of `jax.numpy.einsum`, such as `precision`. `order` is ignored.

    Returns:
        Array with the axes of the output. Products of int8 are int32.

    >>> einsum("ij,j->i", [[1.0, 2.0]], [3.0, 4.0]).tolist()
    [11.0]
    """
    # numpy's memory order, which JAX has not.
    kwargs.pop("order", None)
    operands = [as_array(x) for x in operands]
    kwargs.setdefault("preferred_element_type", _accumulator(*operands))
    return jnp.einsum(subscripts, *operands, **kwargs)


@op
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Cross product of vectors of 2 or 3 entries.

    Args:
        x1: array with 2 or 3 entries along `axisa`.
        x2: array with 2 or 3 entries along `axisb`.
        axisa: int, the axis of the vectors in `x1`.
        axisb: int, the axis of the vectors in `x2`.
        axisc: int, the axis of the vectors in the result; two vectors of 2 entries
            give no such axis.
        axis: int in place of all three, or None.

    Returns:
        Array of the shape to which the operands broadcast.

    >>> cross([1, 0, 0], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    return jnp.cross(as_array(x1), as_array(x2), axisa, axisb, axisc, axis)


@op
def trace(x, offset=0, axis1=0, axis2=1):
    """Sum of a diagonal of two axes.

    Args:
        x: array of at least two axes.
        offset: int, the diagonal: 0 is the main one, positive ones lie above it.
        axis1: int, the axis of the rows.
        axis2: int, the axis of the columns.

    Returns:
        Array without both axes.

    >>> trace([[1, 2], [3, 4]]).tolist()
    5
    """
    return jnp.trace(as_array(x), offset, axis1, axis2)


@op(tensors=("a",))
def diff(a, n=1, axis=-1):
    """Differences xᵢ₊₁ - xᵢ along an axis, taken n times.

    Args:
        a: array of at least one axis.
        n: int >= 0.
        axis: int.

    Returns:
        Array with n entries fewer along `axis`.

    >>> diff([1, 4, 9, 16]).tolist()
    [3, 5, 7]
    """
    return jnp.diff(as_array(a), n, axis)


def _correlate_spec(trace, x1, x2, mode="valid"):
    """An unknown size if one of both is unknown."""
    # A trace takes one number for both, and calls their difference known.
    del mode
    out = trace(x1, x2)
    unknown = None in x1.shape or None in x2.shape
    return KerasTensor((None,), out.dtype) if unknown else out


@op(spec=_correlate_spec)
def correlate(x1, x2, mode="valid"):
    """Cross-correlation Σᵢ x1[i + k] · conj(x2[i]).

    Args:
        x1: (n,) array.
        x2: (m,) array.
        mode: "valid" where the arrays overlap fully, "same" for max(n, m) results, or
            "full" for all n + m - 1.

    Returns:
        Array of one axis.

    >>> correlate([1, 2, 3], [0, 1]).tolist()
    [2.0, 3.0]
    """
    return jnp.correlate(as_array(x1), as_array(x2), mode)


@op
def corrcoef(x):
    """Correlation coefficients between the rows.

    Args:
        x: (n, samples) array.

    Returns:
        (n, n) array with entries in [-1, 1].

    >>> corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).round().tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    return jnp.corrcoef(as_array(x))

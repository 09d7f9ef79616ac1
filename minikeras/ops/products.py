"""Matrix and tensor products, and statistics built on them."""

import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.core.symbolic import op
from minikeras.core.variable import is_sparse
from minikeras.ops.convert import as_array, as_operand, binary
from minikeras.ops.sparse import batched_product

kron = binary(jnp.kron, "Kronecker product.")
outer = binary(jnp.outer, "x1 xᵀ2 of flattened operands.")
vdot = binary(jnp.vdot, "Sum of products of all entries, x1 conjugated.")


@op
def inner(x1, x2):
    """Sum of products over the last axes."""
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
    """int8 products are summed in int32; None: as JAX does."""
    for x in arrays:
        if x.dtype != _INT8:
            return None
    return "int32"


@op
@batched_product
def matmul(x1, x2):
    """(…, n, k) @ (…, k, m) -> (…, n, m); leading axes broadcast.

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
    [[11.0]]
    """
    x1, x2 = as_array(x1), as_array(x2)
    wide = _accumulator(x1, x2)
    if wide is None:  # JAX is faster without the argument
        return jnp.matmul(x1, x2)
    return jnp.matmul(x1, x2, preferred_element_type=wide)


@op
def dot(x1, x2):
    """Sum of products over the last axis of x1 and the last but one of x2."""
    return jnp.dot(as_operand(x1), as_operand(x2))


@op
def tensordot(x1, x2, axes=2):
    """Sum of products over the given axes.

    Args:
        x1, x2: arrays.
        axes: number of axes, last of x1 and first of x2, or a pair of lists of axes.
    """
    return jnp.tensordot(as_array(x1), as_array(x2), axes)


@op(tensors=("operands",))
def einsum(subscripts, *operands, **kwargs):
    """Sum of products over the letters that the output lacks.

    >>> einsum("ij,j->i", [[1.0, 2.0]], [3.0, 4.0]).tolist()
    [11.0]
    """
    kwargs.pop("order", None)
    operands = [as_array(x) for x in operands]
    kwargs.setdefault("preferred_element_type", _accumulator(*operands))
    return jnp.einsum(subscripts, *operands, **kwargs)


@op
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Cross product of vectors of 2 or 3 entries along an axis."""
    return jnp.cross(as_array(x1), as_array(x2), axisa, axisb, axisc, axis)


@op
def trace(x, offset=0, axis1=0, axis2=1):
    """Sum of a diagonal."""
    return jnp.trace(as_array(x), offset, axis1, axis2)


@op(tensors=("a",))
def diff(a, n=1, axis=-1):
    """Differences of neighbours along an axis, n times."""
    return jnp.diff(as_array(a), n, axis)


def _correlate_spec(trace, x1, x2, mode="valid"):
    """Two unknown sizes are two: their difference is not known either."""
    del mode
    out = trace(x1, x2)
    unknown = None in x1.shape or None in x2.shape
    return KerasTensor((None,), out.dtype) if unknown else out


@op(spec=_correlate_spec)
def correlate(x1, x2, mode="valid"):
    """Cross-correlation of two arrays of one axis."""
    return jnp.correlate(as_array(x1), as_array(x2), mode)


@op
def corrcoef(x):
    """Correlation coefficients between the rows."""
    return jnp.corrcoef(as_array(x))


def _bincount_spec(trace, x, weights=None, sparse=False, **config):
    """How many counts there are depends on the greatest number."""
    del trace, config
    dtype = "int32" if weights is None else weights.dtype
    return KerasTensor((*x.shape[:-1], None), dtype, sparse=sparse or x.sparse)


@op(tensors=("x", "weights"), spec=_bincount_spec)
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often (or with what total weight) each of 0, 1, … occurs.

    Args:
        x: (n,) or (batch, n) ints >= 0.
        weights: of the shape of `x`.
        minlength: least number of counts.
        sparse: give a sparse array; so does a sparse `x`, whose missing entries are
            not counted.
    """
    if is_sparse(x):
        counts = _sparse_counts(x, weights, minlength)
    else:
        counts = _counts(as_array(x), weights, minlength)
    if not (sparse or is_sparse(x)):
        return counts
    BCOO = late_import("jax.experimental.sparse").BCOO
    return BCOO.fromdense(counts)


def _counts(x, weights, minlength):
    length = max(int(jnp.max(x)) + 1 if x.size else 0, minlength or 0)
    weights = None if weights is None else as_array(weights)
    if x.ndim == 1:
        return jnp.bincount(x, weights, length=length)
    rows = [None] * len(x) if weights is None else weights
    counts = [jnp.bincount(r, w, length=length) for r, w in zip(x, rows, strict=True)]
    return jnp.stack(counts)


def _sparse_counts(x, weights, minlength):
    """Only stored entries count; `weights` has the same ones."""
    x = x.update_layout(n_batch=0)
    if weights is None:
        weights = jnp.ones_like(x.data)
    else:
        weights = weights.update_layout(n_batch=0).data
    length = max(int(jnp.max(x.data, initial=-1)) + 1, minlength or 0)
    counts = jnp.zeros((*x.shape[:-1], length), weights.dtype)
    return counts.at[(*x.indices[:, :-1].T, x.data)].add(weights)


@op
def histogram(x, bins=10, range=None):
    """Counts in equal bins over `range`, and their edges -> (counts, edges)."""
    x = as_array(x)
    if not isinstance(bins, int) or bins < 0:
        raise ValueError(
            "histogram: Argument `bins` should be a non-negative integer, got "
            f"{bins!r}."
        )
    if range and len(range) != 2:
        raise ValueError(
            "histogram: Argument `range` must be a tuple of two elements, got "
            f"{range!r}."
        )
    if range and range[1] < range[0]:
        raise ValueError(
            "histogram: The second element of `range` must be greater than the first, "
            f"got {range!r}."
        )
    if x.ndim > 1:
        raise ValueError(
            f"histogram: Input tensor must be 1-dimensional, got shape {x.shape}."
        )
    return jnp.histogram(x, bins, range)

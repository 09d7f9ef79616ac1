"""Decompositions, solvers and norms."""

import functools

import jax
import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.op_makers import axes_of, unary

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]
_module = {"module": "keras.src.ops.linalg"}
linalg_op = functools.partial(op, **_module)


def _known_squares(trace, x, *others, **config):
    """An unknown size is not taken for the size that would make `x` square."""
    del config
    _check_square("linalg", x)
    return trace(x, *others)


def _known_sides(trace, a, b, **config):
    """As `_known_squares`; nor is the unknown size of `b` taken for that of `a`."""
    if len(b.shape) == len(a.shape) > 1 and b.shape[-2] != a.shape[-1]:
        raise ValueError(
            f"solve: the rows of `b`, of shape {tuple(b.shape)}, must be as many as "
            f"the columns of `a`, of shape {tuple(a.shape)}."
        )
    return _known_squares(trace, a, b, **config)


def _check_square(name, x):
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(
            f"{name}: expected square matrices (..., n, n), got shape {x.shape}."
        )


_SQUARES = "(…, n, n) array."

det = unary(
    jnp.linalg.det,
    "Determinants.",
    "[[2.0, 1.0], [0.0, 3.0]] -> 6.0",
    "det",
    x=_SQUARES,
    returns="(…) array.",
    spec=_known_squares,
    **_module,
)
eig = unary(
    jnp.linalg.eig,
    "Eigenvalues λ and eigenvectors v: x v = λ v.",
    """>>> values, vectors = eig([[0.0, 2.0], [2.0, 0.0]])
>>> sorted(values.real.round(4).tolist()), vectors.shape
([-2.0, 2.0], (2, 2))""",
    "eig",
    x=_SQUARES,
    returns="complex (…, n) values and (…, n, n) vectors, one in each column.",
    **_module,
)
eigh = unary(
    jnp.linalg.eigh,
    "Eigenvalues and eigenvectors of Hermitian matrices.",
    """>>> values, vectors = eigh([[0.0, 2.0], [2.0, 0.0]])
>>> values.round(4).tolist(), vectors.shape
([-2.0, 2.0], (2, 2))""",
    "eigh",
    x=_SQUARES,
    returns="real (…, n) values, ascending, and (…, n, n) vectors, one in each column.",
    **_module,
)
inv = unary(
    jnp.linalg.inv,
    "Inverse matrices.",
    "[[2.0, 0.0], [0.0, 4.0]] -> [[0.5, 0.0], [0.0, 0.25]]",
    "inv",
    x=_SQUARES,
    returns="(…, n, n) array.",
    spec=_known_squares,
    **_module,
)
lu_factor = unary(
    jax.scipy.linalg.lu_factor,
    "Factors of P x = L U, with L of ones on its diagonal and pivots P.",
    """>>> lu, pivots = lu_factor([[1.0, 2.0], [4.0, 6.0]])
>>> lu.tolist(), pivots.tolist()
([[4.0, 6.0], [0.25, 0.5]], [1, 1])""",
    "lu_factor",
    x=_SQUARES,
    returns="(…, n, n) array of U and below it L, and (…, n) int32 rows of the pivots.",
    **_module,
)


@linalg_op(spec=_known_squares)
def cholesky(x, upper=False):
    """Triangular L with L Lᴴ = x (its transpose if `upper`)."""
    x = as_array(x)
    _check_square("cholesky", x)
    factor = jnp.linalg.cholesky(x, upper=upper)
    if not isinstance(factor, jax.core.Tracer) and jnp.isnan(factor).any():
        raise ValueError("cholesky: `x` is not positive definite.")
    return factor


@linalg_op(spec=_known_squares)
def cholesky_inverse(x, upper=False):
    """Inverse of the matrix whose Cholesky factor is `x`."""
    x = as_array(x)
    _check_square("cholesky_inverse", x)
    eye = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    inverse = jax.scipy.linalg.solve_triangular(x, eye, lower=not upper)
    other = jnp.swapaxes(inverse, -1, -2)
    return inverse @ other if upper else other @ inverse


@linalg_op(tensors=("a", "b"))
def lstsq(a, b, rcond=None):
    """The x of least ‖a x - b‖."""
    return jnp.linalg.lstsq(as_array(a), as_array(b), rcond)[0]


@linalg_op
def matrix_rank(x, tol=None):
    """Number of singular values above `tol`."""
    x = as_array(x)
    if x.ndim < 2:
        raise ValueError(f"matrix_rank: expected matrices, got shape {x.shape}.")
    return jnp.linalg.matrix_rank(x, tol)


@linalg_op
def norm(x, ord=None, axis=None, keepdims=False):
    """Vector norm (one axis) or matrix norm (two).

    Args:
        x: array.
        ord: order of the norm; None for the Euclidean (Frobenius) one.
        axis: int or pair of ints; None for all entries.
        keepdims: keep the axes with size 1.
    """
    axis = axes_of(axis)
    return jnp.linalg.norm(as_array(x), ord, axis, keepdims)


@linalg_op
def pinv(x, rcond=None):
    """Moore-Penrose pseudo-inverse."""
    return jnp.linalg.pinv(as_array(x), rcond)


def _qr_spec(trace, x, mode="reduced"):
    """The sizes of both factors depend on which of two sizes is smaller."""
    del mode
    if None in x.shape[-2:]:
        raise ValueError(
            "qr: Input should have its last 2 dimensions fully-defined. Received: a "
            f"shape of {x.shape}. Give the sizes to `Input`."
        )
    return trace(x)


@linalg_op(spec=_qr_spec)
def qr(x, mode="reduced"):
    """Q R with orthonormal columns in Q and R upper triangular -> (q, r)."""
    if mode not in ("reduced", "complete"):
        raise ValueError(
            f"qr: mode {mode!r}. Expected one of {{'reduced', 'complete'}}."
        )
    x = as_array(x)
    if x.ndim < 2:
        raise ValueError(
            f"qr: Input should have rank >= 2. Received: a shape of {x.shape}."
        )
    return tuple(jnp.linalg.qr(x, mode))


@linalg_op(tensors=("a", "b"), spec=_known_sides)
def solve(a, b):
    """The x with a x = b."""
    a, b = as_array(a), as_array(b)
    if b.ndim == a.ndim - 1:  # vectors, also in batches
        return jnp.linalg.solve(a, b[..., None])[..., 0]
    return jnp.linalg.solve(a, b)


@linalg_op(tensors=("a", "b"), spec=_known_sides)
def solve_triangular(a, b, lower=False):
    """The x with a x = b for a triangular a."""
    a, b = as_array(a), as_array(b)
    if b.ndim == a.ndim - 1:
        b = b[..., None]
        return jax.scipy.linalg.solve_triangular(a, b, lower=lower)[..., 0]
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@linalg_op(name="SVD")
def svd(x, full_matrices=True, compute_uv=True):
    """Singular values [and vectors] -> (u, s, vh), or s."""
    result = jnp.linalg.svd(as_array(x), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result

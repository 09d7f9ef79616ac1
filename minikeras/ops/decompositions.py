"""Decompositions, solvers and norms."""

import jax
import jax.numpy as jnp

from minikeras.ops.arguments import as_axes
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import LINALG, linalg_op
from minikeras.ops.op_makers import unary

__all__ = [
    "cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "lstsq", "lu_factor",
    "matrix_rank", "norm", "pinv", "qr", "solve", "solve_triangular", "svd",
]  # fmt: skip


def _known_squares(trace, x, *others, **config):
    """Refuse matrices that are not known to be square, then trace."""
    # A trace would take an unknown size for the other one, and hide a mistake.
    del config
    _check_square("linalg", x)
    return trace(x, *others)


def _known_sides(trace, a, b, **config):
    """As `_known_squares`, for two arrays that must have as many rows."""
    if len(b.shape) == len(a.shape) > 1 and b.shape[-2] != a.shape[-1]:
        raise ValueError(
            f"solve: the rows of `b`, of shape {tuple(b.shape)}, must be as many as "
            f"the columns of `a`, of shape {tuple(a.shape)}."
        )
    return _known_squares(trace, a, b, **config)


def _check_square(name, x):
    """ValueError unless the last two sizes are equal."""
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
    module=LINALG,
)
eig = unary(
    jnp.linalg.eig,
    "Eigenvalues λ and eigenvectors v: x v = λ v.",
    """>>> values, vectors = eig([[0.0, 2.0], [2.0, 0.0]])
>>> sorted(values.real.round().tolist()), vectors.shape
([-2.0, 2.0], (2, 2))""",
    "eig",
    x=_SQUARES,
    returns="complex (…, n) values and (…, n, n) vectors, one in each column.",
    module=LINALG,
)
eigh = unary(
    jnp.linalg.eigh,
    "Eigenvalues and eigenvectors of Hermitian matrices.",
    """>>> values, vectors = eigh([[0.0, 2.0], [2.0, 0.0]])
>>> values.round().tolist(), vectors.shape
([-2.0, 2.0], (2, 2))""",
    "eigh",
    x=_SQUARES,
    returns="real (…, n) values, ascending, and (…, n, n) vectors, one in each column.",
    module=LINALG,
)
inv = unary(
    jnp.linalg.inv,
    "Inverse matrices.",
    "[[2.0, 0.0], [0.0, 4.0]] -> [[0.5, 0.0], [0.0, 0.25]]",
    "inv",
    x=_SQUARES,
    returns="(…, n, n) array.",
    spec=_known_squares,
    module=LINALG,
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
    module=LINALG,
)
# Keras has it in `keras.ops.numpy`, so it is not in the `__all__` of this file.
slogdet = unary(
    jnp.linalg.slogdet,
    "Signs and logarithms of the absolute values of determinants.",
    """>>> sign, log = slogdet([[0.0, 2.0], [3.0, 0.0]])
>>> float(sign), float(log)
(-1.0, 1.79...)""",
    "slogdet",
    x=_SQUARES,
    returns="two (…) arrays: signs, and log |det x|.",
)


@linalg_op(spec=_known_squares)
def cholesky(x, upper=False):
    """Cholesky factor: triangular L with L Lᴴ = x.

    Args:
        x: (…, n, n) Hermitian positive definite array.
        upper: return the transpose Lᴴ, which is upper triangular.

    Returns:
        (…, n, n) array.

    Raises:
        ValueError: the matrices are not square or, outside of `jit`, not positive
            definite.

    >>> cholesky([[4.0, 2.0], [2.0, 5.0]]).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    x = as_array(x)
    _check_square("cholesky", x)
    # JAX returns NaN for a matrix that is not positive definite, where Keras raises.
    # The values of a tracer cannot be read.
    factor = jnp.linalg.cholesky(x, upper=upper)
    if not isinstance(factor, jax.core.Tracer) and jnp.isnan(factor).any():
        raise ValueError("cholesky: `x` is not positive definite.")
    return factor


@linalg_op(spec=_known_squares)
def cholesky_inverse(x, upper=False):
    """Inverse of the matrix whose Cholesky factor is `x`.

    Args:
        x: (…, n, n) triangular array.
        upper: `x` is the upper factor.

    Returns:
        (…, n, n) array (x xᴴ)⁻¹, or (xᴴ x)⁻¹ if `upper`.

    Raises:
        ValueError: the matrices are not square.

    >>> cholesky_inverse([[2.0, 0.0], [0.0, 1.0]]).tolist()
    [[0.25, 0.0], [0.0, 1.0]]
    """
    x = as_array(x)
    _check_square("cholesky_inverse", x)
    eye = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    # The inverse of the factor first: no product of the factor, whose condition number
    # is the square.
    inverse = jax.scipy.linalg.solve_triangular(x, eye, lower=not upper)
    other = jnp.swapaxes(inverse, -1, -2)
    return inverse @ other if upper else other @ inverse


@linalg_op(tensors=("a", "b"))
def lstsq(a, b, rcond=None):
    """Least-squares solution: the x with the least ‖a x - b‖.

    Args:
        a: (n, m) float array.
        b: (n,) or (n, k) float array.
        rcond: singular values up to rcond · the greatest count as 0; by default
            the machine epsilon times max(n, m).

    Returns:
        (m,) or (m, k) array.

    >>> lstsq([[1.0], [1.0]], [1.0, 3.0]).round().tolist()
    [2.0]
    """
    return jnp.linalg.lstsq(as_array(a), as_array(b), rcond)[0]


@linalg_op
def matrix_rank(x, tol=None):
    """Number of singular values above a tolerance.

    Args:
        x: (…, n, m) array.
        tol: number; by default the greatest singular value times max(n, m) times the
            machine epsilon.

    Returns:
        (…) int array.

    Raises:
        ValueError: `x` has fewer than two axes.

    >>> int(matrix_rank([[1.0, 2.0], [2.0, 4.0]]))
    1
    """
    x = as_array(x)
    if x.ndim < 2:
        raise ValueError(f"matrix_rank: expected matrices, got shape {x.shape}.")
    return jnp.linalg.matrix_rank(x, tol)


@linalg_op
def norm(x, ord=None, axis=None, keepdims=False):
    """Norm of vectors (one axis) or matrices (two axes).

    Args:
        x: array of any shape.
        ord: order: a number, "fro" or "nuc"; by default the Euclidean or Frobenius norm
            √Σ|x|².
        axis: int for vectors, pair of ints for matrices; None for all entries.
        keepdims: keep reduced axes with size 1.

    Returns:
        Array without the axes in `axis`.

    >>> norm([[3.0, 4.0], [5.0, 12.0]], axis=1).tolist()
    [5.0, 13.0]
    """
    axis = as_axes(axis)
    return jnp.linalg.norm(as_array(x), ord, axis, keepdims)


@linalg_op
def pinv(x, rcond=None):
    """Moore-Penrose pseudo-inverse.

    Args:
        x: (…, n, m) array.
        rcond: singular values up to rcond · the greatest count as 0; by default 10
            times the machine epsilon times max(n, m).

    Returns:
        (…, m, n) array.

    >>> pinv([[2.0], [0.0]]).tolist()
    [[0.5, 0.0]]
    """
    return jnp.linalg.pinv(as_array(x), rcond)


def _qr_spec(trace, x, mode="reduced"):
    """Refuse unknown sizes: those of the factors depend on which one is smaller."""
    del mode
    if None in x.shape[-2:]:
        raise ValueError(
            "qr: Input should have its last 2 dimensions fully-defined. Received: a "
            f"shape of {x.shape}. Give the sizes to `Input`."
        )
    return trace(x)


@linalg_op(spec=_qr_spec)
def qr(x, mode="reduced"):
    """Factors of x = Q R: orthonormal columns in Q, R upper triangular.

    Args:
        x: (…, n, m) array.
        mode: "reduced" for k = min(n, m) columns of Q, "complete" for k = n.

    Returns:
        (…, n, k) and (…, k, m) arrays.

    Raises:
        ValueError: an unknown `mode`, or fewer than two axes.

    >>> q, r = qr([[1.0], [2.0], [2.0]])
    >>> q.shape, abs(float(r[0, 0].round()))
    ((3, 1), 3.0)
    """
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
    """Solution x of a x = b.

    Args:
        a: (…, n, n) invertible array.
        b: (…, n) or (…, n, k) array.

    Returns:
        Array of the shape of `b`.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
    [1.0, 0.5]
    """
    a, b = as_array(a), as_array(b)
    # JAX takes `b` for vectors only if it has one axis; Keras also in batches.
    if b.ndim == a.ndim - 1:
        return jnp.linalg.solve(a, b[..., None])[..., 0]
    return jnp.linalg.solve(a, b)


@linalg_op(tensors=("a", "b"), spec=_known_sides)
def solve_triangular(a, b, lower=False):
    """Solution x of a x = b for triangular a, by substitution.

    Args:
        a: (…, n, n) triangular array; its other half is not read.
        b: (…, n) or (…, n, k) array.
        lower: `a` is lower triangular.

    Returns:
        Array of the shape of `b`.

    >>> solve_triangular([[2.0, 0.0], [1.0, 4.0]], [2.0, 9.0], lower=True).tolist()
    [1.0, 2.0]
    """
    a, b = as_array(a), as_array(b)
    if b.ndim == a.ndim - 1:
        b = b[..., None]
        return jax.scipy.linalg.solve_triangular(a, b, lower=lower)[..., 0]
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@linalg_op(name="SVD")
def svd(x, full_matrices=True, compute_uv=True):
    """Singular value decomposition x = u · diag(s) · vh.

    Args:
        x: (…, n, m) array; k = min(n, m).
        full_matrices: return square u and vh; else (…, n, k) and (…, k, m).
        compute_uv: return u and vh, not only s.

    Returns:
        Arrays u, s and vh; or s alone, (…, k) in descending order.

    >>> svd([[0.0, 2.0], [3.0, 0.0]], compute_uv=False).round().tolist()
    [3.0, 2.0]
    """
    result = jnp.linalg.svd(as_array(x), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result

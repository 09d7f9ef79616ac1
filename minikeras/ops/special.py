"""Mathematical functions that NumPy does not have."""

import jax
import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import MATH
from minikeras.ops.op_makers import reduction, unary

__all__ = [
    "cdist", "erf", "erfc", "erfinv", "logdet", "logsumexp", "rsqrt",
]  # fmt: skip
erf = unary(
    jax.lax.erf,
    "2/√π · the integral of exp(-t²) from 0 to x.",
    "[0.0, 1.0] -> [0.0, 0.842...]",
    "erf",
    module=MATH,
)
erfc = unary(
    jax.lax.erfc,
    "1 - erf(x), exact also where erf(x) is near 1.",
    "[0.0, 1.0] -> [1.0, 0.157...]",
    "erfc",
    module=MATH,
)
erfinv = unary(
    jax.lax.erf_inv,
    "Inverse of `erf`.",
    "[0.0, 0.5] -> [0.0, 0.476...]",
    "erfinv",
    x="float array of numbers in [-1, 1]; others give NaN.",
    module=MATH,
)
rsqrt = unary(
    jax.lax.rsqrt,
    "1 / √x.",
    "[4.0, 16.0] -> [0.5, 0.25]",
    "rsqrt",
    x="float array of numbers > 0.",
    module=MATH,
)
logsumexp = reduction(
    jax.scipy.special.logsumexp,
    "log Σ eˣ, without overflow.",
    "[[0, 1], [1000, 1000]], axis=1 -> [1.313..., 1000.693...]",
    "logsumexp",
    module=MATH,
)


@op(module=MATH)
def logdet(x):
    """Logarithm of the determinant of positive definite matrices.

    Args:
        x: (…, n, n) float array.

    Returns:
        (…) array.

    >>> float(logdet([[2.0, 0.0], [0.0, 3.0]]))
    1.791...
    """
    # The determinant itself overflows float32 for a few dozen rows.
    return jnp.linalg.slogdet(as_array(x))[1]


@op(name="CDist", module=MATH)
def cdist(x, y):
    """Euclidean distances √(Σ(x - y)²) between two sets of points.

    Args:
        x: (…, n, d) float array: n points of d coordinates.
        y: (…, m, d) float array.

    Returns:
        (…, n, m) array.

    Raises:
        ValueError: fewer than two axes, or different numbers of coordinates.

    >>> cdist([[0.0, 0.0], [3.0, 0.0]], [[0.0, 4.0]]).tolist()
    [[4.0], [5.0]]
    """
    x, y = as_array(x), as_array(y)
    if min(x.ndim, y.ndim) < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "cdist: expected (..., n, d) and (..., m, d), got shapes "
            f"{x.shape} and {y.shape}."
        )
    # Differences, not |x|² + |y|² - 2xy: exact also for points that are close together.
    difference = x[..., :, None, :] - y[..., None, :, :]
    return jnp.sqrt(jnp.sum(difference * difference, axis=-1))

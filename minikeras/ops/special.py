"""Mathematical functions that NumPy does not have."""

import jax
import jax.numpy as jnp

from minikeras.core.symbolic import op
from minikeras.ops.convert import MATH, as_array
from minikeras.ops.op_makers import reduction, unary

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "logdet",
    "logsumexp",
    "rsqrt",
]
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
    """log of the determinant of a positive definite matrix."""
    return jnp.linalg.slogdet(as_array(x))[1]


@op(name="CDist", module=MATH)
def cdist(x, y):
    """(n, d), (m, d) -> (n, m) Euclidean distances."""
    x, y = as_array(x), as_array(y)
    if min(x.ndim, y.ndim) < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            "cdist: expected (..., n, d) and (..., m, d), got shapes "
            f"{x.shape} and {y.shape}."
        )
    difference = x[..., :, None, :] - y[..., None, :, :]
    return jnp.sqrt(jnp.sum(difference * difference, axis=-1))

"""Complex arrays from their parts, and back."""

import jax
import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import MATH, NN

__all__ = [
    "polar", "view_as_complex", "view_as_real",
]  # fmt: skip


@op(tensors=("abs_", "angle"), module=NN)
def polar(abs_, angle):
    """Complex number abs · exp(i · angle).

    Args:
        abs_: float array of absolute values.
        angle: float array of arguments, in radians.

    Returns:
        Complex array of the shape to which both broadcast.

    >>> polar([1.0, 2.0], [0.0, 0.0]).tolist()
    [(1+0j), (2+0j)]
    """
    abs_, angle = as_array(abs_), as_array(angle)
    # Joined by `lax.complex`: a product with 1j would make NaN of ∞ · 0.
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


def _complex_spec(trace, x):
    """Take an unknown last size for 2, the only one that fits."""
    if x.shape[-1:] == (None,):
        x = KerasTensor((*x.shape[:-1], 2), x.dtype)
    return trace(x)


@op(module=MATH, spec=_complex_spec)
def view_as_complex(x):
    """Complex numbers of real and imaginary parts.

    Args:
        x: (…, 2) float array.

    Returns:
        Complex (…) array.

    Raises:
        ValueError: the last size is not 2.

    >>> view_as_complex([[1.0, 2.0]]).tolist()
    [(1+2j)]
    """
    x = as_array(x)
    if x.ndim < 1 or x.shape[-1] != 2:
        raise ValueError(
            f"Last dimension of input must be size 2. Received: shape={x.shape}"
        )
    return jax.lax.complex(x[..., 0], x[..., 1])


@op(module=MATH)
def view_as_real(x):
    """Real and imaginary parts of complex numbers.

    Args:
        x: complex (…) array.

    Returns:
        Float (…, 2) array.

    >>> view_as_real([1 + 2j]).tolist()
    [[1.0, 2.0]]
    """
    x = as_array(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)

"""Complex arrays from their parts, and back."""

import jax
import jax.numpy as jnp

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import MATH, as_array

__all__ = [
    "polar",
    "view_as_complex",
    "view_as_real",
]


@op(tensors=("abs_", "angle"), module="keras.src.ops.nn")
def polar(abs_, angle):
    """Complex number of the given absolute value and argument."""
    abs_, angle = as_array(abs_), as_array(angle)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


def _complex_spec(trace, x):
    """A last size that is not known will be 2."""
    if x.shape[-1:] == (None,):
        x = KerasTensor((*x.shape[:-1], 2), x.dtype)
    return trace(x)


@op(module=MATH, spec=_complex_spec)
def view_as_complex(x):
    """(…, 2) real and imaginary parts -> complex (…)."""
    x = as_array(x)
    if x.ndim < 1 or x.shape[-1] != 2:
        raise ValueError(
            f"Last dimension of input must be size 2. Received: shape={x.shape}"
        )
    return jax.lax.complex(x[..., 0], x[..., 1])


@op(module=MATH)
def view_as_real(x):
    """Complex (…) -> (…, 2), real and imaginary parts."""
    x = as_array(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)

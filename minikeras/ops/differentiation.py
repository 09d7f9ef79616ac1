"""Directional derivatives, custom gradients, and arrays without a gradient."""

import functools

import jax

from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_arrays
from minikeras.ops.keras_modules import CORE, LINALG
from minikeras.ops.sparse import on_entries

__all__ = [
    "custom_gradient", "jvp", "stop_gradient",
]  # fmt: skip


@op(tensors=("variable",), module=CORE)
@on_entries
def stop_gradient(variable):
    """The same array, which differentiation treats as a constant.

    Args:
        variable: array of any shape.

    Returns:
        The same array.

    >>> float(jax.grad(lambda x: x * stop_gradient(x))(3.0))
    3.0
    """
    return jax.lax.stop_gradient(as_array(variable))


def custom_gradient(f):
    """Decorate a function with a gradient of its own.

    Args:
        f: function of arrays that returns its value and a function `grad(upstream)`,
            which returns the gradient of each argument.

    Returns:
        A function of the arguments of `f` that returns the value.

    >>> f = custom_gradient(lambda x: (x * x, lambda g: jax.lax.clamp(-1.0, g, 1.0)))
    >>> float(f(3.0)), float(jax.grad(f)(3.0))
    (9.0, 1.0)
    """
    # JAX's own form, except that arguments may be Variables and lists here.
    differentiable = jax.custom_gradient(f)

    @functools.wraps(f)
    def call(*args):
        return differentiable(*as_arrays(args))

    return call


@op(name="JVP", tensors=("primals", "tangents"), module=LINALG)
def jvp(fun, primals, tangents, has_aux=False):
    """`fun(*primals)` and its derivative in the direction of `tangents`.

    Args:
        fun: function of as many arrays as there are primals.
        primals: tuple or list of arrays, the point of the derivative.
        tangents: tuple or list of arrays of the same shapes and dtypes, the direction.
        has_aux: `fun` returns (value, aux), of which the value is differentiated.

    Returns:
        The value, the derivative, and aux if `has_aux`.

    >>> value, derivative = jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> float(value), float(derivative)
    (9.0, 6.0)
    """
    # JAX wants both in the same container; here one may be a list.
    primals, tangents = as_arrays(tuple(primals)), as_arrays(tuple(tangents))
    return jax.jvp(fun, primals, tangents, has_aux=has_aux)

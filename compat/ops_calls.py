"""Calls of `keras.ops` as data: (name, args, kwargs), their arrays, their programs."""

import jax
import jax.numpy as jnp
import numpy as np


def is_array(x):
    return isinstance(x, np.ndarray)


def leaves(tree):
    return jax.tree_util.tree_leaves(tree)


def taken(package, name, args, kwargs, arrays):
    """The call with `arrays` in place of its own."""
    flat, structure = jax.tree_util.tree_flatten((args, kwargs))
    arrays = iter(arrays)
    flat = [next(arrays) if is_array(x) else x for x in flat]
    args, kwargs = jax.tree_util.tree_unflatten(structure, flat)
    out = getattr(package.ops, name)(*args, **kwargs)
    if name in ("vectorize", "custom_gradient"):  # they make a function
        return out(jnp.arange(5.0))
    return out


def program(package, name, args, kwargs, arrays):
    """The call as JAX sees it, constants included; None: it needs values."""

    def run(*arrays):
        return leaves(taken(package, name, args, kwargs, arrays))

    try:
        found = jax.make_jaxpr(run)(*arrays)
    except Exception:
        return None
    constants = [(np.asarray(c).dtype, np.asarray(c).tobytes()) for c in found.consts]
    return str(found.jaxpr), constants


def gradient(package, name, args, kwargs, arrays):
    """Under jit, of a sum of the outputs that tells them apart."""
    first, *rest = arrays

    def loss(x):
        out = leaves(taken(package, name, args, kwargs, [x, *rest]))
        out = [jnp.real(y) for y in map(jnp.asarray, out)]
        out = [y for y in out if jnp.issubdtype(y.dtype, jnp.floating)]
        ramps = [jnp.arange(y.size).reshape(y.shape) / y.size - 0.3 for y in out]
        return sum((jnp.sum(r * y) for r, y in zip(ramps, out, strict=True)), 0.0)

    return jax.jit(jax.grad(loss))(jnp.asarray(first))

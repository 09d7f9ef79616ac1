"""Conditions and loops that `jit` understands, and control of differentiation."""

import functools

import jax
import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import CORE, as_array
from minikeras.ops.sparse import on_entries

__all__ = [
    "associative_scan",
    "cond",
    "custom_gradient",
    "fori_loop",
    "jvp",
    "map",
    "scan",
    "stop_gradient",
    "switch",
    "vectorize",
    "vectorized_map",
    "while_loop",
]


def _arrays(tree):
    return jax.tree_util.tree_map(as_array, tree)


@op(tensors=("pred",), module=CORE)
def cond(pred, true_fn, false_fn):
    """`true_fn()` if the scalar condition holds, else `false_fn()`.

    Both return trees of arrays of equal shapes and dtypes.
    """
    return jax.lax.cond(as_array(pred), true_fn, false_fn)


@op(tensors=("index", "operands"), module=CORE)
def switch(index, branches, *operands):
    """`branches[index](*operands)`, the index clamped into range."""
    operands = [as_array(x) for x in operands]
    return jax.lax.switch(as_array(index), branches, *operands)


@op(tensors=("init", "xs"), module=CORE)
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """Run `carry, y = f(carry, x)` along the first axis -> (last carry, all y).

    Args:
        f: the step.
        init: first carry, a tree of arrays.
        xs: tree of arrays with an equal first axis, or None.
        length: number of steps, needed without `xs`.
        reverse: go from the last to the first.
        unroll: steps per iteration of the compiled loop.

    >>> total, sums = scan(lambda c, x: (c + x, c + x), 0, jnp.arange(4))
    >>> int(total), sums.tolist()
    (6, [0, 1, 3, 6])
    """
    if not callable(f):
        raise TypeError(f"scan: f should be a callable. Received: f={f!r}")
    if not isinstance(unroll, (bool, int)) or (unroll is not False and unroll < 1):
        raise ValueError(
            "scan: `unroll` must be an positive integer or boolean. Received: "
            f"unroll={unroll!r}"
        )
    if xs is None and length is None:
        raise ValueError(
            "scan: got neither `xs` to scan over and to count the steps by, nor "
            "`length`. Give one of them."
        )
    return jax.lax.scan(f, _arrays(init), _arrays(xs), length, reverse, unroll)


@op(tensors=("elems",), module=CORE)
def associative_scan(f, elems, reverse=False, axis=0):
    """Running results of an associative function of two, in parallel.

    Args:
        f: (tree, tree) -> tree, associative.
        elems: tree of arrays.
        reverse: run from the end.
        axis: along which.
    """
    if not callable(f):
        raise TypeError(f"associative_scan: f should be a callable. Received: f={f!r}")
    elems = _arrays(elems)
    if axis < 0:  # JAX reverses only axes counted from the front
        axis += jax.tree_util.tree_leaves(elems)[0].ndim
    return jax.lax.associative_scan(f, elems, reverse, axis)


def _same_values(trace, loop_vars, **config):
    """The values of a loop keep their shapes and dtypes."""
    del trace, config
    return jax.tree_util.tree_map(_kept, loop_vars)


def _kept(x):
    if not isinstance(x, KerasTensor):
        x = as_array(x)
    return KerasTensor(x.shape, dtypes.standardize_dtype(x.dtype))


@op(tensors=("loop_vars",), module=CORE, spec=_same_values)
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """Run `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    Args:
        cond: -> scalar bool.
        body: -> as many values, of equal shapes and dtypes.
        loop_vars: array, or tuple or list of trees of arrays.
        maximum_iterations: stop after so many.

    >>> int(while_loop(lambda i: i < 5, lambda i: i + 2, 0))
    6
    """
    several = isinstance(loop_vars, (tuple, list))
    state = _arrays(tuple(loop_vars) if several else (loop_vars,))

    def go_on(carry):
        count, values = carry
        more = cond(*values)
        if maximum_iterations is None:
            return more
        return jnp.logical_and(more, count < maximum_iterations)

    def step(carry):
        count, values = carry
        values = body(*values)
        several = isinstance(values, (tuple, list))
        return count + 1, tuple(values) if several else (values,)

    _, state = jax.lax.while_loop(go_on, step, (jnp.zeros((), "int32"), state))
    return type(loop_vars)(state) if several else state[0]


@op(tensors=("lower", "upper", "init_val"), module=CORE)
def fori_loop(lower, upper, body_fun, init_val):
    """Run `value = body_fun(i, value)` for i from lower to upper - 1."""
    return jax.lax.fori_loop(lower, upper, body_fun, _arrays(init_val))


@op(tensors=("xs",), module=CORE)
def map(f, xs):
    """`f` of each slice along the first axis, one after the other, stacked."""
    return jax.lax.map(f, _arrays(xs))


@op(tensors=("elements",), module=CORE)
def vectorized_map(function, elements):
    """`function` of each slice along the first axis, all at once, stacked."""
    return jax.vmap(function)(_arrays(elements))


@op(tensors=("variable",), module=CORE)
@on_entries
def stop_gradient(variable):
    """The array itself, taken for a constant by differentiation."""
    return jax.lax.stop_gradient(as_array(variable))


def vectorize(pyfunc, *, excluded=None, signature=None):
    """A function on arrays from one on their entries (or slices, by a signature).

    Args:
        pyfunc: the function.
        excluded: positions of arguments that are passed as they are.
        signature: such as "(n),(n)->()".
    """
    if not callable(pyfunc):
        raise ValueError(f"vectorize: expected a function, got {pyfunc!r}.")
    return jnp.vectorize(pyfunc, excluded=excluded or set(), signature=signature)


def custom_gradient(f):
    """Give a function its own derivative.

    Args:
        f: returns (value, `grad`), where `grad(upstream)` returns the gradients of
            the arguments.
    """
    differentiable = jax.custom_gradient(f)

    @functools.wraps(f)
    def call(*args):
        return differentiable(*_arrays(args))

    return call


@op(name="JVP", tensors=("primals", "tangents"), module="keras.src.ops.linalg")
def jvp(fun, primals, tangents, has_aux=False):
    """`fun(*primals)` and its derivative in the direction of `tangents`.

    Args:
        fun: of as many arrays as there are primals.
        primals: tuple or list of arrays, where the derivative is taken.
        tangents: of the same shapes and dtypes, the direction.
        has_aux: does `fun` return (value, aux), of which only the value is
            differentiated?

    Returns:
        (value, derivative), and aux if `has_aux`.
    """
    primals, tangents = _arrays(tuple(primals)), _arrays(tuple(tangents))
    return jax.jvp(fun, primals, tangents, has_aux=has_aux)

"""Conditions and loops that `jit` understands, and maps over an axis."""

import jax
import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array, as_arrays
from minikeras.ops.keras_modules import CORE

__all__ = [
    "associative_scan", "cond", "fori_loop", "map", "scan", "switch", "vectorize",
    "vectorized_map", "while_loop",
]  # fmt: skip


@op(tensors=("pred",), module=CORE)
def cond(pred, true_fn, false_fn):
    """`true_fn()` if the condition holds, else `false_fn()`.

    Args:
        pred: scalar bool.
        true_fn: function without arguments.
        false_fn: function without arguments. Its result has the structure, the shapes
            and the dtypes of that of `true_fn`.

    Returns:
        What the chosen function returns.

    >>> float(cond(True, lambda: 1.0, lambda: 2.0))
    1.0
    """
    return jax.lax.cond(as_array(pred), true_fn, false_fn)


@op(tensors=("index", "operands"), module=CORE)
def switch(index, branches, *operands):
    """`branches[index](*operands)`.

    Args:
        index: scalar int; one out of range chooses the first or the last branch.
        branches: list of functions with results of equal shapes and dtypes.
        *operands: arrays.

    Returns:
        What the chosen function returns.

    >>> int(switch(1, [lambda x: x, lambda x: -x], 3))
    -3
    """
    operands = [as_array(x) for x in operands]
    return jax.lax.switch(as_array(index), branches, *operands)


@op(tensors=("init", "xs"), module=CORE)
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """Run `carry, y = f(carry, x)` for each slice x along the first axis.

    Args:
        f: the step, (carry, x) -> (carry, y).
        init: the first carry, a tree of arrays.
        xs: tree of arrays with an equal first size, or None.
        length: int, the number of steps; needed without `xs`.
        reverse: go from the last slice to the first.
        unroll: int, steps in one iteration of the compiled loop; True for all.

    Returns:
        The last carry, and the y of all steps stacked along a new first axis.

    Raises:
        TypeError: `f` cannot be called.
        ValueError: `unroll` is no positive int, or there is no number of steps.

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
    return jax.lax.scan(f, as_arrays(init), as_arrays(xs), length, reverse, unroll)


@op(tensors=("elems",), module=CORE)
def associative_scan(f, elems, reverse=False, axis=0):
    """Running results of an associative function, computed in parallel.

    Args:
        f: (tree, tree) -> tree, associative; it gets slices of `elems`.
        elems: tree of arrays.
        reverse: run from the end.
        axis: int, the axis to run along.

    Returns:
        Tree of the structure and shapes of `elems`.

    Raises:
        TypeError: `f` cannot be called.

    >>> associative_scan(lambda a, b: a * b, jnp.arange(1, 5)).tolist()
    [1, 2, 6, 24]
    """
    if not callable(f):
        raise TypeError(f"associative_scan: f should be a callable. Received: f={f!r}")
    elems = as_arrays(elems)
    if axis < 0:  # with `reverse`, JAX takes only axes counted from the front
        axis += jax.tree_util.tree_leaves(elems)[0].ndim
    return jax.lax.associative_scan(f, elems, reverse, axis)


def _same_values(trace, loop_vars, **config):
    """The values of a loop keep their shapes and dtypes."""
    # As in Keras, graphs do not trace the body.
    del trace, config
    return jax.tree_util.tree_map(_spec_of, loop_vars)


def _spec_of(x):
    """A KerasTensor of the shape and dtype of `x`."""
    if not isinstance(x, KerasTensor):
        x = as_array(x)
    return KerasTensor(x.shape, dtypes.standardize_dtype(x.dtype))


@op(tensors=("loop_vars",), module=CORE, spec=_same_values)
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """Run `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds.

    Args:
        cond: function of the values -> scalar bool.
        body: function of the values -> as many values, of equal shapes and dtypes.
        loop_vars: array, or tuple or list of trees of arrays: the first values.
        maximum_iterations: int, greatest number of iterations; None for no limit.

    Returns:
        The last values, in the structure of `loop_vars`.

    >>> int(while_loop(lambda i: i < 5, lambda i: i + 2, 0))
    6
    """
    # As in Keras, a list or tuple is passed as several arguments.
    several = isinstance(loop_vars, (tuple, list))
    state = as_arrays(tuple(loop_vars) if several else (loop_vars,))

    # JAX has no limit of iterations: the carry counts them.
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
    """Run `value = body_fun(i, value)` for i from `lower` to `upper` - 1.

    Args:
        lower: int, the first i.
        upper: int, not included.
        body_fun: function (i, value) -> value of equal shapes and dtypes.
        init_val: tree of arrays, the first value.

    Returns:
        The last value.

    >>> int(fori_loop(0, 4, lambda i, total: total + i, 0))
    6
    """
    return jax.lax.fori_loop(lower, upper, body_fun, as_arrays(init_val))


# In the rest of this file `map` is the op, not Python's.
@op(tensors=("xs",), module=CORE)
def map(f, xs):
    """Apply `f` to each slice along the first axis, one after the other.

    Args:
        f: function of a slice, a tree of arrays.
        xs: tree of arrays with an equal first size.

    Returns:
        The results, stacked along a new first axis.

    >>> map(lambda row: jnp.sum(row), jnp.array([[1, 2], [3, 4]])).tolist()
    [3, 7]
    """
    return jax.lax.map(f, as_arrays(xs))


@op(tensors=("elements",), module=CORE)
def vectorized_map(function, elements):
    """Apply `function` to each slice along the first axis, all at once.

    Args:
        function: function of a slice, a tree of arrays.
        elements: tree of arrays with an equal first size.

    Returns:
        The results, stacked along a new first axis.

    >>> vectorized_map(lambda row: jnp.sum(row), jnp.ones((2, 3))).tolist()
    [3.0, 3.0]
    """
    return jax.vmap(function)(as_arrays(elements))


def vectorize(pyfunc, *, excluded=None, signature=None):
    """Make a function of arrays from a function of their entries or slices.

    Args:
        pyfunc: function of scalars, or of slices that `signature` describes.
        excluded: set of positions of arguments that are passed as they are.
        signature: axes of the slices and of the result, such as "(n),(n)->()".

    Returns:
        A function whose arguments broadcast.

    Raises:
        ValueError: `pyfunc` cannot be called.

    >>> norm = vectorize(lambda v: jnp.sum(v * v), signature="(n)->()")
    >>> norm(jnp.array([[1, 2], [3, 4]])).tolist()
    [5, 25]
    """
    if not callable(pyfunc):
        raise ValueError(f"vectorize: expected a function, got {pyfunc!r}.")
    return jnp.vectorize(pyfunc, excluded=excluded or set(), signature=signature)

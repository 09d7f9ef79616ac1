"""Conditions and loops that `jit` understands, and control of differentiation."""

import functools

import jax
import jax.numpy as jnp

from minikeras.core import dtypes
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.symbolic import op
from minikeras.ops.convert import as_array
from minikeras.ops.keras_modules import CORE
from minikeras.ops.sparse import on_entries

__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "jvp", "map", "scan",
    "stop_gradient", "switch", "vectorize", "vectorized_map", "while_loop",
]  # fmt: skip


def _arrays(tree):
    """The tree with arrays in place of anything that holds numbers."""
    return jax.tree_util.tree_map(as_array, tree)


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
    return jax.lax.scan(f, _arrays(init), _arrays(xs), length, reverse, unroll)


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
    elems = _arrays(elems)
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
    state = _arrays(tuple(loop_vars) if several else (loop_vars,))

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
    return jax.lax.fori_loop(lower, upper, body_fun, _arrays(init_val))


# In the rest of this file `map` is the op, not Python's.
@op(tensors=("xs",), module=CORE)
def map(f, xs):
    """`f` of each slice along the first axis, one after the other.

    Args:
        f: function of a slice, a tree of arrays.
        xs: tree of arrays with an equal first size.

    Returns:
        The results, stacked along a new first axis.

    >>> map(lambda row: jnp.sum(row), jnp.array([[1, 2], [3, 4]])).tolist()
    [3, 7]
    """
    return jax.lax.map(f, _arrays(xs))


@op(tensors=("elements",), module=CORE)
def vectorized_map(function, elements):
    """`function` of each slice along the first axis, all at once.

    Args:
        function: function of a slice, a tree of arrays.
        elements: tree of arrays with an equal first size.

    Returns:
        The results, stacked along a new first axis.

    >>> vectorized_map(lambda row: jnp.sum(row), jnp.ones((2, 3))).tolist()
    [3.0, 3.0]
    """
    return jax.vmap(function)(_arrays(elements))


@op(tensors=("variable",), module=CORE)
@on_entries
def stop_gradient(variable):
    """The array itself, which differentiation takes for a constant.

    Args:
        variable: array of any shape.

    Returns:
        The same array.

    >>> float(jax.grad(lambda x: x * stop_gradient(x))(3.0))
    3.0
    """
    return jax.lax.stop_gradient(as_array(variable))


def vectorize(pyfunc, *, excluded=None, signature=None):
    """A function of arrays from a function of their entries, or of their slices.

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


def custom_gradient(f):
    """Decorator: a function with a gradient of its own.

    Args:
        f: function of arrays that returns its value and a function `grad(upstream)`,
            which returns the gradient of each argument.

    Returns:
        A function of the arguments of `f` that returns the value.

    >>> clipped = custom_gradient(lambda x: (x * x, lambda g: jnp.clip(g, -1.0, 1.0)))
    >>> float(clipped(3.0)), float(jax.grad(clipped)(3.0))
    (9.0, 1.0)
    """
    # JAX's own form, except that arguments may be Variables and lists here.
    differentiable = jax.custom_gradient(f)

    @functools.wraps(f)
    def call(*args):
        return differentiable(*_arrays(args))

    return call


@op(name="JVP", tensors=("primals", "tangents"), module="keras.src.ops.linalg")
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
    primals, tangents = _arrays(tuple(primals)), _arrays(tuple(tangents))
    return jax.jvp(fun, primals, tangents, has_aux=has_aux)

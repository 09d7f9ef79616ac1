"""Conditions, loops, calls of Python, checks: eager where the values are known."""

import contextlib
import functools
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras import ops, tree
from minikeras.legacy.tensorflow.dispatch import array, number, table
from minikeras.legacy.tensorflow.types import as_dtype, jax_dtype


def _is_traced(*values):
    leaves = jax.tree_util.tree_leaves(values)
    return any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)


def cond(pred, true_fn: Any = None, false_fn: Any = None, name=None):
    """`true_fn()` if `pred`, else `false_fn()`."""
    if isinstance(pred, (bool, np.ndarray)) or (
        isinstance(pred, jax.Array) and not _is_traced(pred)
    ):
        return true_fn() if pred else false_fn()
    return ops.cond(pred, true_fn, false_fn)


def case(pred_fn_pairs, default: Any = None, exclusive=False, strict=False, name=None):
    """The function of the first true condition."""
    pairs = list(pred_fn_pairs)
    if not pairs:
        return default()
    (pred, fn), *rest = pairs
    if not rest and default is None:
        return fn()
    return cond(pred, fn, lambda: case(rest, default))


def while_loop(
    cond, body, loop_vars, shape_invariants=None, parallel_iterations=10,
    back_prop=True, swap_memory=False, maximum_iterations=None, name=None,
):  # fmt: skip
    """Repeat `body(*vars)` while `cond(*vars)`; a Python loop on known values."""
    values, count = tuple(jax.tree_util.tree_map(array, tuple(loop_vars))), 0
    start = cond(*values)
    if _is_traced(values, start):
        return list(ops.while_loop(cond, body, values, maximum_iterations))
    while cond(*values) and (maximum_iterations is None or count < maximum_iterations):
        values, count = body(*values), count + 1
        values = tuple(values) if isinstance(values, (list, tuple)) else (values,)
    return list(values)


def _stacked(rows):
    return jax.tree_util.tree_map(lambda *parts: jnp.stack(parts), *rows)


def _rows(elems):
    count = len(jax.tree_util.tree_leaves(elems)[0])
    take = lambda i: jax.tree_util.tree_map(lambda e: e[i], elems)  # noqa: E731
    return [take(i) for i in range(count)]


def _elems(elems):
    """A list or tuple of tensors as a tree of them, one of numbers as a tensor."""
    is_tree = any(np.ndim(x) for x in jax.tree_util.tree_leaves(elems))
    return jax.tree_util.tree_map(array, elems) if is_tree else array(elems)


def _map_fn(fn, elems, fn_output_signature=None, dtype=None, **kwargs):
    elems = _elems(elems)
    if _is_traced(elems):
        return jax.lax.map(fn, elems)
    rows = [jax.tree_util.tree_map(array, fn(row)) for row in _rows(elems)]
    return _stacked(rows)


def _scan(fn, elems, initializer=None, reverse=False, **kwargs):
    rows = _rows(_elems(elems))
    rows = rows[::-1] if reverse else rows
    state = rows.pop(0) if initializer is None else array(initializer)
    found = [state] if initializer is None else []
    for row in rows:
        state = fn(state, row)
        found.append(state)
    return _stacked(found[::-1] if reverse else found)


def _fold(fn, elems, initializer=None, **kwargs):
    rows = _rows(array(elems))
    return functools.reduce(fn, rows, *([] if initializer is None else [initializer]))


def py_function(func: Any = None, inp: Any = None, Tout: Any = None, name=None):
    """A function of Python on known values; in a compiled function it has no result."""
    if _is_traced(inp):
        raise NotImplementedError(
            "tf.py_function: its arguments are not known when a function is compiled. "
            "Use jax.pure_callback, or compile the model with run_eagerly=True."
        )
    found, single = func(*inp), not isinstance(Tout, (list, tuple))
    types = [Tout] if single else Tout
    found = [found] if single else list(found)
    cast = [
        value if as_dtype(t) == "string" else jnp.asarray(array(value), jax_dtype(t))
        for value, t in zip(found, types, strict=True)
    ]
    return cast[0] if single else cast


def numpy_function(
    func: Any = None, inp: Any = None, Tout=None, stateful=True, name=None
):
    """A function of NumPy's arrays."""
    return py_function(lambda *xs: func(*map(np.asarray, xs)), inp, Tout)


def custom_gradient(f: Any = None):
    """Decorate `f(*x) -> (y, grad)`: `grad(dy)` gives the gradient of each `x`."""

    @functools.wraps(f)
    def call(*args, **kwargs):
        @jax.custom_vjp
        def forward(*xs):
            return f(*xs, **kwargs)[0]

        def backward(xs, upstream):
            # Computed again: what `grad` holds may be of a trace that has ended.
            given = upstream if isinstance(upstream, (list, tuple)) else (upstream,)
            found = f(*xs, **kwargs)[1](*given)
            found = found if isinstance(found, (list, tuple)) else (found,)
            pairs = zip(found, xs, strict=True)
            return tuple(jnp.zeros_like(x) if g is None else g for g, x in pairs)

        forward.defvjp(lambda *xs: (forward(*xs), xs), backward)
        return forward(*map(array, args))

    return call


def print_values(*inputs, **kwargs):
    """Print values, also those of a compiled function; to stderr by default.

    Args:
        *inputs: values.
        **kwargs: `sep`, `end` and `output_stream`; others are not used.
    """
    sep, end = kwargs.get("sep", " "), kwargs.get("end", "\n")
    stream = kwargs.get("output_stream", sys.stderr)
    file = stream if hasattr(stream, "write") else sys.stderr

    def show(*values):
        print(*(_shown(x) for x in values), sep=sep, end=end, file=file)

    if _is_traced(inputs):
        jax.debug.callback(show, *inputs)
    else:
        show(*inputs)


def _shown(x):
    x = np.asarray(x) if hasattr(x, "shape") else x
    if isinstance(x, np.ndarray) and not x.ndim:
        x = x.item()
    return x.decode() if isinstance(x, bytes) else x


class OpError(Exception):
    """The base of TensorFlow's errors."""


_PARENTS = {"InvalidArgumentError": ValueError, "NotFoundError": FileNotFoundError}
ERRORS = {"OpError": OpError} | {
    name: type(name, (OpError, _PARENTS.get(name, RuntimeError)), {"__doc__": name})
    for name in """AbortedError AlreadyExistsError CancelledError
    FailedPreconditionError InternalError InvalidArgumentError NotFoundError
    OutOfRangeError ResourceExhaustedError UnavailableError UnimplementedError
    UnknownError""".split()
}


def _check(name, holds):
    """An assertion of two tensors; values that are not known yet are not checked."""

    def check(x, y, message=None, summarize=None, name=None, **kwargs):
        x, y = array(x), array(y)
        if _is_traced(x, y) or np.all(holds(np.asarray(x), np.asarray(y), **kwargs)):
            return None
        raise ERRORS["InvalidArgumentError"](
            f"tf.debugging.{label}: {message or 'the condition does not hold'}: "
            f"x={x}, y={y}."
        )

    label = check.__name__ = name
    return check


def _near(x, y, rtol=None, atol=None):
    least = 10 * np.finfo(x.dtype).eps
    return np.abs(x - y) <= (atol or least) + (rtol or least) * np.abs(y)


def check_numerics(tensor, message, name=None):
    """`tensor`; InvalidArgumentError if an entry is no finite number."""
    tensor = array(tensor)
    if not _is_traced(tensor) and not np.all(np.isfinite(np.asarray(tensor))):
        raise ERRORS["InvalidArgumentError"](
            f"{message}: Tensor had NaN or Inf values."
        )
    return tensor


_CHECKS = {
    "equal": np.equal, "none_equal": np.not_equal, "less": np.less, "near": _near,
    "less_equal": np.less_equal, "greater": np.greater,
    "greater_equal": np.greater_equal,
}  # fmt: skip
# fmt: off
DEBUGGING: dict[str, Any] = {
    f"assert_{name}": _check(f"assert_{name}", holds) for name, holds in _CHECKS.items()
}
DEBUGGING |= {
    "Assert": lambda condition, data, summarize=None, name=None: (
        DEBUGGING["assert_equal"](condition, True, data)),
    "assert_non_negative": lambda x, message=None, summarize=None, name=None: (
        DEBUGGING["assert_greater_equal"](x, 0, message)),
    "assert_positive": lambda x, message=None, summarize=None, name=None: (
        DEBUGGING["assert_greater"](x, 0, message)),
    "assert_rank": lambda x, rank, message=None, name=None: (
        DEBUGGING["assert_equal"](np.ndim(x), rank, message)),
    "check_numerics": check_numerics,
}
# fmt: on
NEST = {
    "assert_same_structure": tree.assert_same_structure,
    "flatten": tree.flatten,
    "is_nested": tree.is_nested,
    "map_structure": tree.map_structure,
    "pack_sequence_as": tree.pack_sequence_as,
}


@contextlib.contextmanager
def scope(*args, **kwargs):
    """A block that changes nothing: names, devices and order need no care here."""
    yield "".join(str(arg) for arg in args[:1])


FUNCTIONS = table(
    "",
    {
        "foldl": _fold,
        "map_fn": _map_fn,
        "scan": _scan,
        "vectorized_map": lambda fn, elems, **kwargs: jax.vmap(fn)(_elems(elems)),
    },
) | {
    "Assert": DEBUGGING["Assert"],
    "case": case,
    "cond": cond,
    "control_dependencies": scope,
    "custom_gradient": custom_gradient,
    "device": scope,
    "group": lambda *inputs, **kwargs: None,
    "init_scope": scope,
    "name_scope": scope,
    "no_op": lambda name=None: None,
    "numpy_function": numpy_function,
    "print": print_values,
    "py_function": py_function,
    "switch_case": lambda branch_index, branch_fns, default=None, name=None: (
        jax.lax.switch(branch_index, list(branch_fns))
        if _is_traced(branch_index)
        else branch_fns[number(branch_index)]()
    ),
    "variable_scope": scope,
    "while_loop": while_loop,
}

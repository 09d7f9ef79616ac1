"""`function`: code in Keras style, compiled, that updates Variables in place.

What `tf.function` is for TensorFlow. The code is traced once to find the Variables that
it uses, and once more with their values as inputs. What it assigned is written back
after each call, so a training loop of one's own costs one dispatch a step.
"""

import functools
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.bridge import Bridge, current
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import Variable, assign_lock
from minikeras.data import Dataset
from minikeras.data.dataset.iterator import TracedDataError
from minikeras.training.program import compiler_options
from minikeras.training.user_steps import touched_variables

# What code gets that asks a traced array for its value, or data for its next batch.
_NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
    TracedDataError,
)


class CompiledFunction:
    """A function whose calls run as compiled programs.

    Code that asks for the values of arrays, such as `if x > 0:`, cannot be compiled: it
    runs as it is, with one warning.

    Args:
        function: the code. Arrays among its arguments are inputs of the program, all
            else, such as numbers and texts, is compiled in.
        signature: sequence of objects with `shape` and `dtype`, or trees of them, that
            positional arguments are converted to; None leaves them as they are.
    """

    def __init__(self, function: Callable[..., Any], signature: Any = None):
        functools.update_wrapper(self, function)
        self.python_function, self._signature = function, signature
        self._programs: dict[Any, _Program] = {}
        self._runs_eagerly = False
        # Calls of several threads read, compute and assign one after another.
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> Any:
        """The function itself, which compiles by the arguments of each call.

        Args:
            *args, **kwargs: not used.
        """
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._signature is not None:
            args = self._fitted(args)
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        if self._runs_eagerly or any(map(_runs_uncompiled, leaves)):
            return self.python_function(*args, **kwargs)
        if current().bindings is not None:  # part of code that is traced already
            return self.python_function(*args, **kwargs)
        arrays = [x for x in leaves if _is_array(x)]
        shapes = tuple((x.shape, x.dtype) for x in arrays)
        key = (tree, tuple(map(_key, leaves)), shapes, current().training)
        try:
            with self._lock:
                program = self._programs.get(key)
                if program is None:
                    static = [self._static(x, key) for x in leaves]
                    run = functools.partial(self._run, tree, static)
                    program = self._programs[key] = _Program(run, arrays)
                return program(arrays)
        except _NEEDS_VALUES as error:
            self._programs.pop(key, None)
            self._runs_eagerly = True
            name = getattr(self.python_function, "__name__", "the function")
            warnings.warn(
                f"{name}() needs the values of arrays while it is traced, so it runs "
                "without being compiled. For speed, use keras.ops.where or "
                "keras.ops.cond instead of `if`, and keep `.numpy()`, `float()` and "
                f"iterators of data out of it. It met: {str(error).splitlines()[0]}",
                stacklevel=2,
            )
            return self.python_function(*args, **kwargs)
        except Exception:
            self._programs.pop(key, None)
            raise

    def _fitted(self, args):
        """Positional arguments as the signature has them."""
        first = len(args) - len(self._signature)  # 1 with `self`
        if first not in (0, 1):
            raise TypeError(
                f"{self.python_function.__name__}() has an input_signature of "
                f"{len(self._signature)} arguments, got {len(args)}."
            )
        found = [
            jax.tree_util.tree_map(_of_spec, spec, x)
            for spec, x in zip(self._signature, args[first:], strict=True)
        ]
        return (*args[:first], *found)

    def _static(self, x, key):
        """A function that gives an argument that is compiled in; None for an array."""
        if _is_array(x):
            return None
        if not isinstance(x, _PLAIN):
            try:
                # The program must not keep a model alive, nor outlive it.
                return weakref.ref(x, lambda _: self._programs.pop(key, None))
            except TypeError:
                pass
        return lambda: x

    def _run(self, tree, static, arrays):
        """The function itself, on its arguments as they were taken apart."""
        rest = iter(arrays)
        leaves = [next(rest) if get is None else get() for get in static]
        args, kwargs = tree.unflatten(leaves)
        outs = self.python_function(*args, **kwargs)
        return jax.tree_util.tree_map(
            lambda x: x.value if isinstance(x, Variable) else x, outs
        )


class _Program:
    """One compiled program of a function.

    Args:
        run: function (list of arrays) -> tree of arrays.
        arrays: of the shapes and dtypes that it is compiled for.
    """

    def __init__(self, run: Callable[..., Any], arrays: list):
        self._run = run
        self._variables = touched_variables(run, arrays)
        self._compiled = jax.jit(self._pure, compiler_options=compiler_options())
        self._taped: tuple | None = None

    def __call__(self, arrays: list) -> Any:
        values = [v.value for v in self._variables]
        is_taped = current().on_read is not None
        outs, new = (self._on_tape if is_taped else self._compiled)(values, arrays)
        if new:
            with assign_lock:
                for i, value in new.items():
                    self._variables[i].assign(value)
        return outs

    def _pure(self, values, arrays):
        """(result, {number of a Variable: its new value})."""
        with Bridge(self._variables, values) as bridge:
            outs = self._run(arrays)
        if lost := [v.path for v in bridge.lost()]:
            raise ValueError(
                "A compiled function assigns Variables that each call makes anew: "
                f"{', '.join(lost)}. Create them once, outside of it."
            )
        pairs = enumerate(zip(values, bridge.new(), strict=True))
        return outs, {i: new for i, (old, new) in pairs if new is not old}

    def _on_tape(self, values, arrays):
        """The same for a tape, which is to see the arrays that the code refers to."""
        if self._taped is None:
            trace = jax.make_jaxpr(self._pure, return_shape=True)
            closed, shapes = trace(values, arrays)
            run = jax.jit(functools.partial(jax.core.eval_jaxpr, closed.jaxpr))
            self._taped = run, closed.consts, jax.tree_util.tree_structure(shapes)
        run, constants, tree = self._taped
        leaves = jax.tree_util.tree_leaves((values, arrays))
        return jax.tree_util.tree_unflatten(tree, run(constants, *leaves))


# What is compiled in by its value, not by its identity.
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type, np.dtype)


def _is_array(x):
    return isinstance(x, (jax.Array, np.ndarray, np.generic))


def _runs_uncompiled(x):
    """Is an argument traced already, symbolic, text, or a source of data?"""
    kinds = (jax.core.Tracer, KerasTensor, Dataset, Iterator)
    return isinstance(x, kinds) or _is_array(x) and x.dtype.kind in "OSUT"


def _key(x):
    """What tells an argument from others: 1 is not True, 0.0 not -0.0."""
    if _is_array(x):
        return None
    if isinstance(x, (set, frozenset)):
        return type(x), frozenset(x)
    return (type(x), repr(x)) if isinstance(x, _PLAIN) else id(x)


def _of_spec(spec, x):
    """An argument as the array that a `TensorSpec` describes."""
    x = jnp.asarray(x, getattr(spec.dtype, "name", spec.dtype))
    wanted = None if spec.shape is None else tuple(spec.shape)
    fits = wanted is None or len(wanted) == x.ndim
    if not fits or any(w not in (None, n) for w, n in zip(wanted or (), x.shape)):  # noqa: B905
        raise ValueError(
            f"input_signature expected an array of shape {wanted}, got {x.shape}."
        )
    return x


def function(
    func: Callable[..., Any] | None = None, input_signature: Any = None, **options: Any
) -> Any:
    """Compile a function in Keras style that updates Variables in place.

    Args:
        func: the function; None gives a decorator.
        input_signature: sequence of objects with `shape` and `dtype`: positional
            arguments are converted to them, and must fit.
        **options: further ones of `tf.function`, such as `jit_compile` or
            `reduce_retracing`. They change no result here and are ignored.

    Returns:
        A `CompiledFunction`, or a decorator that makes one.

    Raises:
        TypeError: an option that `tf.function` does not know.

    >>> v = Variable(2.0)
    >>> step = function(lambda x: v.assign_add(x))
    >>> step(jax.numpy.float32(1.0)).tolist(), v.numpy().tolist()
    (3.0, 3.0)
    """
    if unknown := sorted({*options} - _OPTIONS):
        raise TypeError(f"function() got unexpected keyword arguments: {unknown}")
    make = functools.partial(CompiledFunction, signature=input_signature)
    return make if func is None else make(func)


_OPTIONS = frozenset(
    """autograph jit_compile reduce_retracing experimental_implements
    experimental_autograph_options experimental_attributes experimental_compile
    experimental_relax_shapes experimental_follow_type_hints""".split()
)

"""`function`: code in Keras style, compiled, that updates Variables in place.

What `tf.function` is for TensorFlow. The code is traced once to find the Variables that
it uses, and once more with their values as inputs. What it assigned is written back
after each call, so a training loop of one's own costs one dispatch a step.
"""

import functools
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from minikeras.core.bridge import Bridge, current
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import Variable, assign_lock
from minikeras.data import Dataset
from minikeras.training.program import compiler_options
from minikeras.training.user_steps import touched_variables

# What code gets that asks a traced array for its value.
_NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)


class CompiledFunction:
    """A function whose calls run as compiled programs.

    Code that asks for the values of arrays, such as `if x > 0:`, cannot be compiled: it
    runs as it is, with one warning.

    Args:
        function: the code. Arrays among its arguments are inputs of the program, all
            else, such as numbers and texts, is compiled in.
    """

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self.python_function = function
        self._programs: dict[Any, _Program] = {}
        self._runs_eagerly = False
        self._methods: Any = weakref.WeakKeyDictionary()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        if instance not in self._methods:
            # A strong reference to the instance would keep its own key alive.
            method = self.python_function.__get__(weakref.proxy(instance), owner)
            self._methods[instance] = CompiledFunction(method)
        return self._methods[instance]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, tree = jax.tree_util.tree_flatten((args, kwargs))
        if self._runs_eagerly or any(map(_runs_uncompiled, leaves)):
            return self.python_function(*args, **kwargs)
        if current().bindings is not None:  # part of code that is traced already
            return self.python_function(*args, **kwargs)
        arrays = [x for x in leaves if _is_array(x)]
        static = [_ARRAY if _is_array(x) else x for x in leaves]
        shapes = tuple((x.shape, x.dtype) for x in arrays)
        key = (tree, tuple(map(_key, static)), shapes, current().training)
        try:
            if key not in self._programs:
                run = functools.partial(self._run, tree, static)
                self._programs[key] = _Program(run, arrays)
            return self._programs[key](arrays)
        except _NEEDS_VALUES as error:
            self._programs.pop(key, None)
            self._runs_eagerly = True
            name = getattr(self.python_function, "__name__", "the function")
            warnings.warn(
                f"{name}() needs the values of arrays while it is traced, so it runs "
                "without being compiled. For speed, use keras.ops.where or "
                "keras.ops.cond instead of `if`, and keep `.numpy()` and `float()` out "
                f"of it. JAX says: {str(error).splitlines()[0]}",
                stacklevel=2,
            )
            return self.python_function(*args, **kwargs)

    def _run(self, tree, static, arrays):
        """The function itself, on its arguments as they were taken apart."""
        rest = iter(arrays)
        leaves = [next(rest) if x is _ARRAY else x for x in static]
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
        self._traced = jax.jit(self._pure)
        # JAX accepts options for an outermost program alone.
        self._compiled = jax.jit(self._traced, compiler_options=compiler_options())

    def __call__(self, arrays: list) -> Any:
        is_taped = current().on_read is not None
        run = self._traced if is_taped else self._compiled
        outs, new = run([v.value for v in self._variables], arrays)
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


_ARRAY = object()  # stands for an array among arguments


def _is_array(x):
    return isinstance(x, (jax.Array, np.ndarray, np.generic))


def _runs_uncompiled(x):
    """Is an argument traced already, symbolic, text, or a source of data?"""
    kinds = (jax.core.Tracer, KerasTensor, Dataset)
    return isinstance(x, kinds) or _is_array(x) and x.dtype.kind in "OSUT"


def _key(x):
    """What tells an argument that is compiled in from others: 1 is not True."""
    try:
        hash(x)
    except TypeError:
        return id(x)
    return type(x), x


def function(func: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function in Keras style that updates Variables in place.

    Args:
        func: the function; None gives a decorator.
        **options: those of `tf.function`, such as `input_signature`, `jit_compile` or
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
    return CompiledFunction if func is None else CompiledFunction(func)


_OPTIONS = frozenset(
    """input_signature autograph jit_compile reduce_retracing experimental_implements
    experimental_autograph_options experimental_attributes experimental_compile
    experimental_relax_shapes experimental_follow_type_hints""".split()
)

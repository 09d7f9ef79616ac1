"""From pure functions on arrays to functions of TensorFlow.

A function of a table has TensorFlow's argument names and computes on arrays of JAX.
`tf_function` lets it take lists, Variables, text, symbolic tensors and sizes.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from minikeras.core import naming, registry
from minikeras.core.dtypes import is_text, list_leaves
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.shape_inference import keras_tensors, output_spec
from minikeras.core.symbolic import Operation
from minikeras.core.variable import Variable, as_array
from minikeras.data.dataset.iterator import as_data_array
from minikeras.layers import Layer
from minikeras.legacy.tensorflow.types import (
    FILLS,
    OPERATORS,
    SIZE_MARK,
    RecordedSizes,
    SizeArray,
    SymbolicSizes,
    as_sizes,
)
from minikeras.random import SeedGenerator

# Parameters with these names take tensors: lists and Variables become arrays.
TENSORS = frozenset(
    """x y z a b c input input_tensor tensor value t features logits labels params
    indices mask condition predictions targets images image image1 image2 data matrix
    rhs array keys sorted_sequence lengths img1 img2 real imag segment_ids
    updates filters contrib tensors_1 mean variance offset scale""".split()
)


def text(value: Any) -> Any:
    """The value as an array of text, or None if it is none."""
    if isinstance(value, np.ndarray):
        return as_data_array(value) if is_text(value) else None
    if isinstance(value, (list, tuple)):
        leaves = list_leaves(value)
        if not any(isinstance(leaf, (str, bytes)) or is_text(leaf) for leaf in leaves):
            return None
        return as_data_array(np.array(value, dtype=object))
    return as_data_array(value) if isinstance(value, (str, bytes)) else None


def array(value: Any) -> Any:
    """The value as an array of JAX, or as one of text."""
    if isinstance(value, jax.Array) or value is None:
        return value
    if getattr(value, "dtype", None) == "string" and not is_text(value):
        return value  # text of which a trace knows the shape alone
    if (found := text(value)) is not None:
        return found
    if not isinstance(value, Variable) and not any(
        isinstance(x, (jax.Array, Variable)) for x in list_leaves([value])
    ):
        # A constant stays one in a compiled function: it may be a size.
        with jax.ensure_compile_time_eval():
            return as_array(value)
    return as_array(value)


def sizes(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of ints, from whatever TensorFlow takes as one.

    Args:
        shape: int, list or tuple of sizes, or array of them.
    """
    try:
        if isinstance(shape, (list, tuple)):
            return tuple(int(size) for size in shape)
        return tuple(int(size) for size in np.atleast_1d(np.asarray(shape)))
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
        raise TypeError(
            "A shape must be known when a function is compiled, but it depends on "
            "values of tensors here. Compute it from `x.shape` or `tf.shape(x)`, or "
            "run the function eagerly."
        ) from None


def number(x: Any) -> Any:
    """A known number as Python's, as JAX needs it for sizes and axes."""
    return x if x is None or isinstance(x, (int, float)) else np.asarray(x).item()


def _kinds(tree, found):
    """Which kinds of values that need care are in a tree: added to the set `found`."""
    if isinstance(tree, (list, tuple)):
        for x in tree:
            _kinds(x, found)
    elif isinstance(tree, dict):
        _kinds(tuple(tree.values()), found)
    elif isinstance(tree, KerasTensor):
        found.add("symbolic")
    elif isinstance(tree, SymbolicSizes):
        found.add("unknown")
    elif isinstance(tree, SizeArray):
        found.add("sizes")
    elif isinstance(tree, (Tracer, Variable)):
        found.add("values")
    return found


def tf_function(
    name: str,
    function: Callable[..., Any],
    keeps_sizes: bool = False,
    draws: bool = False,
) -> Callable[..., Any]:
    """A function of TensorFlow from one on arrays.

    Args:
        name: the name in TensorFlow.
        function: the pure function, with TensorFlow's argument names.
        keeps_sizes: do known sizes give known sizes, also in a compiled function?
        draws: does it draw random numbers?
    """
    signature = inspect.signature(function)
    function.__qualname__ = f"tf.{name}"  # for the errors of wrong arguments
    names = list(signature.parameters)
    flags = [n in TENSORS for n in names]
    # Of two operands, Python's number takes the dtype of the other one.
    weak = (int, float) if {"x", "y"} <= set(names) else ()

    def convert(value):
        return value if isinstance(value, weak) else array(value)

    def run(args, kwargs):
        args = [
            convert(v) if i < len(flags) and flags[i] else v for i, v in enumerate(args)
        ]
        kwargs = {k: convert(v) if k in TENSORS else v for k, v in kwargs.items()}
        return function(*args, **kwargs)

    def call(*args, **kwargs):
        if "name" not in signature.parameters:
            kwargs.pop("name", None)
        kinds = _kinds((args, kwargs), set())
        if not kinds:
            return run(args, kwargs)
        if keeps_sizes and "unknown" in kinds and not kinds & {"symbolic", "values"}:
            recorded = RecordedSizes(SIZE_MARK, name, *record([list(args), kwargs]))
            found = SymbolicSizes.make(recorded, sample)
            if not getattr(found, "dtype", np.dtype(int)).kind == "f":
                return found  # floats made of sizes are tensors like others
        if kinds & {"symbolic", "unknown"}:
            if draws:
                recorded = record([list(args), kwargs])
                return RandomDraw(name)(keras_tensors(recorded), arguments=recorded)
            return TensorFlowOp(name).symbolic_call(*args, **kwargs)
        if keeps_sizes and "sizes" in kinds and "values" not in kinds:
            with jax.ensure_compile_time_eval():
                return as_sizes(run(args, kwargs))
        return run(args, kwargs)

    call.run, call.is_of_arrays = run, True
    return _described(call, name, signature)


def _described(call, name, signature):
    """The function with its name, documentation and TensorFlow's signature."""
    call.__name__ = call.__qualname__ = name.rpartition(".")[2]
    call.__doc__ = f"TensorFlow's `tf.{name}{signature}`, on arrays of JAX."
    parts = list(signature.parameters.values())
    if not any(p.name == "name" or p.kind is p.VAR_KEYWORD for p in parts):
        parts.append(inspect.Parameter("name", parts[0].KEYWORD_ONLY, default=None))
    call.__signature__ = signature.replace(parameters=parts)
    return call


def table(
    prefix: str,
    functions: Mapping[str, Callable[..., Any]],
    keep_sizes: str = "",
) -> dict[str, Callable[..., Any]]:
    """{name: function of TensorFlow} of pure functions.

    Args:
        prefix: the namespace with its dot, such as "math.".
        functions: {name: pure function}.
        keep_sizes: names of those that make known sizes of known sizes.
    """
    keep = set(keep_sizes.split())
    return {
        name: tf_function(prefix + name, function, name in keep, _draws(prefix, name))
        for name, function in functions.items()
    }


def _draws(prefix, name):
    return prefix == "random." or "random_" in name or name == "dropout"


def record(tree: Any) -> Any:
    """The arguments of a call in the form that graphs can hold."""
    if isinstance(tree, SymbolicSizes):
        return tree.recorded
    if isinstance(tree, (list, tuple)) and not hasattr(tree, "_fields"):
        return [record(x) for x in tree]
    if isinstance(tree, dict):
        return {k: record(x) for k, x in tree.items()}
    if isinstance(tree, slice):
        return ["__slice__", *record([tree.start, tree.stop, tree.step])]
    return ["__ellipsis__"] if tree is Ellipsis else tree


def resolve(tree: Any) -> Any:
    """The reverse of `record`: sizes are computed from tensors that have values now."""
    if isinstance(tree, (list, tuple)):
        if len(tree) == 4 and isinstance(tree[0], str) and tree[0] == SIZE_MARK:
            args, kwargs = resolve(list(tree[2])), resolve(tree[3])
            with jax.ensure_compile_time_eval():
                return as_sizes(find(tree[1]).run(args, kwargs))
        items = [resolve(x) for x in tree]
        if items and isinstance(items[0], str) and items[0] == "__slice__":
            return slice(*items[1:])
        if items and isinstance(items[0], str) and items[0] == "__ellipsis__":
            return Ellipsis
        return items
    if isinstance(tree, dict):
        return {k: resolve(x) for k, x in tree.items()}
    return tree


def find(name: str) -> Any:
    """The function of the stand-in with this name in TensorFlow.

    Names come from files, too, so it must be one that `tf_function` made: those compute
    on arrays, while others write files or call Python.

    Args:
        name: without `tf.`.

    Raises:
        ValueError: there is no such function, or none that graphs may hold.
    """
    space, _, last = str(name).rpartition(".")
    if space == "operator":
        found = _OPERATOR_FUNCTIONS.get(last)
    else:
        package = sys.modules["minikeras.legacy.tensorflow"]
        place = package.NAMESPACES.get(space) if space else package
        found = getattr(place, last, None)
    if getattr(found, "is_of_arrays", None) is not True:
        raise ValueError(
            f"A model holds the function tf.{name}, which is none that computes on "
            "tensors. Models of this stand-in have no others: do not trust the file."
        )
    return found


# What only moves entries of its first argument.
_MOVES = frozenset(
    """operator.getitem concat constant convert_to_tensor expand_dims gather identity
    pad reshape reverse slice split squeeze stack tile unstack broadcast_to""".split()
)


def sample(recorded: RecordedSizes, fill: int) -> Any:
    """Recorded sizes, with `fill` in each entry that follows from an unknown size.

    Args:
        recorded: how the sizes follow from tensors.
        fill: int.
    """
    _, name, args, kwargs = recorded
    function = find(name)
    if name == "shape":
        return as_sizes(np.array([fill if d is None else d for d in args[0].shape]))
    filled = _sample_in([args, kwargs], fill)
    with jax.ensure_compile_time_eval():
        found = as_sizes(function.run(*filled))
    first, *_ = inspect.signature(function).parameters
    others = [args[1:], {k: v for k, v in kwargs.items() if k != first}]
    if name in _MOVES and not _sizes_in(others):
        return found
    unknown = _unknown([args, kwargs], found, name)
    tag = lambda x: np.where(  # noqa: E731
        unknown, np.array(fill == FILLS[0] if x.dtype == bool else fill, x.dtype), x
    )
    return as_sizes(jax.tree_util.tree_map(tag, found))


def _sample_in(tree, fill):
    """`resolve` with samples of the sizes."""
    if isinstance(tree, RecordedSizes):
        return sample(tree, fill)
    if isinstance(tree, dict):
        return {k: _sample_in(x, fill) for k, x in tree.items()}
    if isinstance(tree, (list, tuple)):
        return resolve([_sample_in(x, fill) for x in tree])
    return tree


def _sizes_in(tree):
    is_size = lambda x: isinstance(x, RecordedSizes)  # noqa: E731
    return list(filter(is_size, jax.tree_util.tree_leaves(tree, is_leaf=is_size)))


def _unknown(tree, found, name):
    """Which entries of a result follow from unknown sizes, as bools or one bool."""
    parts = [sample(x, FILLS[0]) != sample(x, FILLS[1]) for x in _sizes_in(tree)]
    if name.startswith("operator.") or name in _OF_ENTRIES:
        nested = any(isinstance(x, (list, tuple)) for x in tree[0])
        if not nested and hasattr(found, "shape"):
            return functools.reduce(np.logical_or, parts)
    return any(part.any() for part in parts)


# What computes each entry of the result from the entries at its place.
_OF_ENTRIES = frozenset(
    f"math.{name}"
    for name in """add subtract multiply maximum minimum floordiv floormod mod divide
    truediv equal not_equal less greater less_equal greater_equal negative logical_and
    logical_or ceil floor""".split()
) | {"cast", "where"}


@registry.register_keras_serializable("minikeras_tensorflow")
class RandomDraw(Layer):
    """A recorded call that draws: a layer, whose generator the model keeps.

    Args:
        function: the name of the function, without `tf.`.
        **kwargs: those of `Layer`.
    """

    def __init__(self, function: str, **kwargs: Any):
        super().__init__(**kwargs)
        find(function)  # refuses other names before the model is built
        self.function = function
        self.seed_generator = SeedGenerator()

    def call(self, inputs: Any, arguments: Any) -> Any:
        """The function of its recorded arguments.

        Args:
            inputs: the tensors among the arguments: layers ask for them first.
            arguments: [list of positional ones, dict of those by name].
        """
        args, kwargs = resolve(arguments)
        function = find(self.function)
        bound = inspect.signature(function).bind(*args, **kwargs)
        if "stateless" not in self.function:
            bound.arguments["seed"] = self.seed_generator
        return function(*bound.args, **bound.kwargs)

    def get_config(self) -> dict[str, Any]:
        """The name of the function, and the config of a layer."""
        return {**super().get_config(), "function": self.function}


@registry.register_keras_serializable("minikeras_tensorflow")
class TensorFlowOp(Operation):
    """A call of a function of the stand-in in a graph.

    Args:
        function: the name of the function, without `tf.`.
        name: of the operation; unique by default.
    """

    def __init__(self, function: str, name: str | None = None):
        find(function)  # refuses other names before the model is built
        short = function.replace(".", "_")
        super().__init__(name or naming.auto_name(f"tf_{short}"))
        self.function = function

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record the call, with sizes in the form that graphs hold.

        Args:
            *args, **kwargs: those of the function.
        """
        return super().symbolic_call(*record(list(args)), **record(kwargs))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function of the arguments.

        Args:
            *args, **kwargs: those of the function.
        """
        return find(self.function)(*resolve(list(args)), **resolve(kwargs))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes by tracing.

        Args:
            *args, **kwargs: those of the function.
        """
        return output_spec(self.call, args, kwargs, guess=())

    def get_config(self) -> dict[str, Any]:
        """The names of the function and of the operation."""
        return {"function": self.function, "name": self.name}


def _operator(name, function):
    if name == "neg":
        return lambda x: function(x)
    if name == "getitem":  # its key is no tensor
        return lambda x, key: function(x, key)
    return lambda x, y: function(x, y)


_OPERATOR_FUNCTIONS = {
    name: tf_function(
        f"operator.{name}",
        _operator(name, f),
        keeps_sizes=True,
    )
    for name, f in OPERATORS.items()
}


def _install_operators():
    """Give symbolic sizes Python's operators."""
    for name, function in _OPERATOR_FUNCTIONS.items():
        if name == "neg":
            SymbolicSizes.__neg__ = lambda self, f=function: f(self)
            continue
        setattr(
            SymbolicSizes, f"__{name}__", lambda self, other, f=function: f(self, other)
        )
        if name in "add sub mul truediv floordiv mod pow".split():
            setattr(
                SymbolicSizes,
                f"__r{name}__",
                lambda self, other, f=function: f(other, self),
            )
    SymbolicSizes.__hash__ = object.__hash__


_install_operators()

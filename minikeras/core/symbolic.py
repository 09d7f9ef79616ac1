"""The graph that operations on KerasTensors record, and `@op`.

A `KerasTensor` has the shape (None for an unknown size) and the dtype of an array.
Calling an operation on one records a `Node`; the output's shape comes from tracing the
operation's own code with `jax.eval_shape`.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, overload

import jax
import numpy as np

from minikeras.core import naming, registry
from minikeras.core.bridge import current
from minikeras.core.call_errors import described
from minikeras.core.constructor_arguments import init_config
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.members import Alias
from minikeras.core.object_repr import visible
from minikeras.core.op_parameters import OpParameters
from minikeras.core.remat import call_rematerialized
from minikeras.core.shape_inference import keras_tensors, output_spec
from minikeras.core.tracebacks import shorten
from minikeras.core.unknown_sizes import SIZES_FOR_NONE

# Types that are neither KerasTensors nor containers. Each call of an op or a layer asks
# about all of its arguments; with this set that takes less than a microsecond.
_leaf_types: set[type] = set()


def any_symbolic(args: Iterable[Any], kwargs: Mapping[str, Any] | None = None) -> bool:
    """Is there a KerasTensor among the arguments, at any depth?"""
    for x in args:
        if type(x) in _leaf_types:
            continue
        if isinstance(x, KerasTensor):
            return True
        if isinstance(x, (list, tuple)):
            if any_symbolic(x):
                return True
        elif isinstance(x, dict):
            if any_symbolic(x.values()):
                return True
        else:
            _leaf_types.add(type(x))
    return bool(kwargs) and any_symbolic(kwargs.values())


class Node:
    """One call of an operation in a graph: its arguments and its outputs.

    Args:
        operation: the `Operation`; its list of nodes gets this one.
        args, kwargs: arguments of the call, trees that hold KerasTensors.
        outputs: tree of the KerasTensors that the call returns. Each gets the node as
            its history.
    """

    def __init__(
        self,
        operation: "Operation",
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        outputs: Any,
    ):
        self.operation = operation
        self.args, self.kwargs, self.outputs = args, kwargs, outputs
        self.input_tensors = keras_tensors((args, kwargs))
        self.output_tensors = jax.tree_util.tree_leaves(outputs)
        self.is_input = not self.input_tensors
        index = len(operation._mk_inbound_nodes)
        operation._mk_inbound_nodes.append(self)
        for i, tensor in enumerate(self.output_tensors):
            if isinstance(tensor, KerasTensor):
                tensor._keras_history = (operation, index, i)
        for tensor in self.input_tensors:
            if history := getattr(tensor, "_keras_history", None):
                history[0]._mk_outbound_nodes.append(self)

    def __setstate__(self, state):
        vars(self).update(state)
        for tensor in self.input_tensors:
            if history := getattr(tensor, "_keras_history", None):
                vars(history[0]).setdefault("_mk_outbound_nodes", []).append(self)

    def __repr__(self):
        return f"<Node of {self.operation.name}>"


class Operation:
    """A computation that a call on KerasTensors records as a node of a graph.

    Subclasses define `call` and, if tracing it is not enough, `compute_output_spec`.

    Args:
        *args, **kwargs: those of the subclass's constructor. The constructor of
            `Operation` itself takes `name`, a string without "/", unique by default.

    >>> class Double(Operation):
    ...     def call(self, x):
    ...         return x * 2
    >>> Double()(3.0)
    6.0
    >>> Double()(KerasTensor((None, 4))).shape
    (None, 4)
    """

    _inbound_nodes = Alias("_mk_inbound_nodes")
    _outbound_nodes = Alias("_mk_outbound_nodes")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        # Not by `setattr`: layers track assigned attributes, and theirs are not set up.
        self.__dict__["_mk_init_arguments"] = (args, kwargs)
        return self

    def __init__(self, name: str | None = None):
        if name is None:
            name = naming.auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name!r} (of type {type(name)})"
            )
        self.name = name
        self._mk_inbound_nodes: list[Node] = []
        self._mk_outbound_nodes: list[Node] = []

    def __getstate__(self):
        # A new dict, which no thread changes. The nodes that follow add themselves: by
        # them pickle and deepcopy would recurse through the whole graph.
        return {k: v for k, v in vars(self).items() if k != "_mk_outbound_nodes"}

    def __setstate__(self, state):
        vars(self).setdefault("_mk_outbound_nodes", [])
        vars(self).update(state)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute on arrays, or record the call if a KerasTensor is among them.

        Args:
            *args, **kwargs: as `call` takes them.

        Returns:
            What `call` returns: arrays, or KerasTensors in their place.
        """
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        if getattr(self, "quantization_mode", None) is not None:
            return self.quantized_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record the call on KerasTensors; returns its output KerasTensors.

        Args:
            *args, **kwargs: as `call` takes them, with KerasTensors among them.
        """
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; a subclass defines it.

        Args:
            *args, **kwargs: inputs, as arrays, and settings.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `call` method: define what it computes."
        )

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs with quantized weights; a subclass defines it.

        Args:
            *args, **kwargs: as `call` takes them.

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `quantized_call` method: define what it "
            "computes when its weights are quantized."
        )

    def rematerialized_call(
        self, fn: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Callable[..., Any]:
        """Wrap `fn` as the `RematScope` says in which the object was made.

        Args:
            fn: function to run, such as `call`.
            *args, **kwargs: ignored.

        Returns:
            `fn` without a scope. Else a function that computes intermediate values
            again for the gradient, where the scope applies.
        """
        del args, kwargs
        # Whoever looks into layers gets arrays, not tracers of `jax.checkpoint`.
        if (watch := current().on_call) is not None:
            return functools.partial(watch, self, fn)
        if getattr(self, "_mk_remat", None) is None:
            return fn
        return functools.partial(call_rematerialized, self, fn)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype of the outputs, by tracing `call`.

        Args:
            *args, **kwargs: as `call` takes them, with KerasTensors for arrays.

        Returns:
            The tree of outputs, as KerasTensors.
        """
        return output_spec(self.call, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as a JSON-ready dict."""
        parameters = inspect.signature(type(self).__init__).parameters.values()
        named = any(p.name == "name" or p.kind is p.VAR_KEYWORD for p in parameters)
        return init_config(self, {"name": self.name} if named else {})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a new object from a config.

        Args:
            config: dict of constructor arguments, as `get_config()` returns it.
        """
        return cls(**config)

    def _mk_first_node(self, what):
        if not self._mk_inbound_nodes:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} has never been called on a "
                f"KerasTensor, so it has no {what}."
            )
        return self._mk_inbound_nodes[0]

    @property
    def input(self) -> Any:
        """Input KerasTensor(s) of the first recorded call."""
        tensors = self._mk_first_node("input").input_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def output(self) -> Any:
        """Output KerasTensor(s) of the first recorded call."""
        tensors = self._mk_first_node("output").output_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    def __repr__(self):
        return f"<Operation name={self.name}>"

    def __dir__(self):
        return visible(self)


class FunctionOp(Operation):
    """An `@op` function with the settings of one recorded call.

    Keras has a class for each op. In files this object goes by the name of that class.

    Args:
        function: the op.
        config: {parameter: value} of the call, apart from its arrays.
        name: unique by default.
    """

    def __init__(self, function: Any, config: dict[str, Any], name: str | None = None):
        super().__init__(name or naming.auto_name(function.class_name))
        self.function, self.config = function, config
        self.class_name, self.module = function.class_name, function.module

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function on `args`, its tensor parameters in order."""
        return self.function.call_with(args, {**self.config, **kwargs})

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The output as KerasTensors: the op's own `spec`, or traced."""

        def trace(*args, fills=SIZES_FOR_NONE, **kwargs):
            guess = self._mk_sizes(args)
            return output_spec(self.call, args, kwargs, fills=fills, guess=guess)

        config = {**self.config, **kwargs}
        try:
            if self.function.spec is None:
                return trace(*args, **kwargs)
            return self.function.spec(trace, *args, **config)
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(described(error, self.function, args, config)) from error

    def _mk_sizes(self, args):
        """Sizes that an unknown one may have to equal for the call to be valid.

        They come from the configuration (`newshape`, `axes`), and from concrete arrays
        among the arguments.
        """
        lists = [x for x in self.config.values() if isinstance(x, (list, tuple))]
        leaves = jax.tree_util.tree_leaves((lists, args))
        sizes = {x for x in leaves if type(x) is int and x >= 0}
        arrays = (x for x in leaves if isinstance(x, (np.ndarray, jax.Array)))
        return sizes.union(*(x.shape for x in arrays))

    def get_config(self) -> dict[str, Any]:
        """The name, and the arguments of the call apart from arrays."""
        return {"name": self.name, **self.config}

    @classmethod
    def from_config(cls, class_name: str, config: Any = None) -> "FunctionOp":
        """The op `class_name` with the arguments in `config`."""
        config = dict(config or {})
        return cls(registry.get_op(class_name), config, name=config.pop("name", None))


def small_sizes_too(trace: Callable[..., Any], *args: Any, **config: Any) -> Any:
    """Trace an op whose output size is unknown if its input may be small.

    `x[:5]` of 5040 rows and of 10080 rows has 5 rows, so both usual traces agree. With
    1 row in the second trace it has 1: the size of the output is unknown.

    Args:
        trace: as the `spec` of an op gets it.
        *args: arrays of the call.
        **config: ignored.

    Returns:
        The outputs as KerasTensors.
    """
    del config
    try:
        return trace(*args, fills=(SIZES_FOR_NONE[0], 1))
    except (TypeError, ValueError, IndexError):
        return trace(*args)


_Function = TypeVar("_Function", bound=Callable[..., Any])


# Two overloads, so that a decorated function keeps its signature in editors, with and
# without options. Both list all options, because families of ops fix `module` with
# `functools.partial`.
@overload
def op(
    function: _Function,
    *,
    name: str | None = None,
    tensors: Sequence[str] | None = None,
    module: str = "keras.src.ops.numpy",
    spec: Callable[..., Any] | None = None,
    records_none: bool = False,
    symbolic_sizes: Sequence[str] = (),
) -> _Function: ...


@overload
def op(
    function: None = None,
    *,
    name: str | None = None,
    tensors: Sequence[str] | None = None,
    module: str = "keras.src.ops.numpy",
    spec: Callable[..., Any] | None = None,
    records_none: bool = False,
    symbolic_sizes: Sequence[str] = (),
) -> Callable[[_Function], _Function]: ...


def op(
    function: Any = None,
    *,
    name: str | None = None,
    tensors: Sequence[str] | None = None,
    module: str = "keras.src.ops.numpy",
    spec: Callable[..., Any] | None = None,
    records_none: bool = False,
    symbolic_sizes: Sequence[str] = (),
) -> Any:
    """Decorate a pure function on arrays: it becomes an op that graphs can record.

    Called on arrays, the op is the function. Called on a KerasTensor, it records a
    `Node` and returns KerasTensors.

    Args:
        function: the function. It must accept anything array-like.
        name: class name of the op in Keras's files; CamelCase of the function's
            name by default.
        tensors: names of the parameters that take arrays, in order. By default
            those with a usual name (`x`, `x1`, `inputs`, ...).
        module: Keras's module of that class.
        spec: `spec(trace, *arrays, **config)` returns the outputs as KerasTensors,
            for an op whose shapes tracing alone gets wrong. `trace(*arrays)` traces the
            function, `trace(*arrays, fills=…)` with other sizes for None.
        records_none: does a node record None for an array that the call leaves out?
            Keras's classes of such ops require the argument.
        symbolic_sizes: those of `tensors` that are recorded as configuration, except
            when a KerasTensor is given for them.

    Returns:
        The op, with the signature of the function.
    """
    if function is None:
        options = {"name": name, "tensors": tensors, "module": module, "spec": spec}
        return functools.partial(
            op, **options, records_none=records_none, symbolic_sizes=symbolic_sizes
        )
    parameters = OpParameters(function, tensors, records_none, symbolic_sizes)

    @functools.wraps(function)
    def call(*args, **kwargs):
        if any_symbolic(args, kwargs):
            values, named, config = parameters.split(args, kwargs)
            return FunctionOp(call, config).symbolic_call(*values, **named)
        try:
            return function(*args, **kwargs)
        except Exception as error:
            # The arguments of an error of another type may be no text.
            if type(error) in (TypeError, ValueError, IndexError):
                error.args = (described(error, function, args, kwargs),)
            shorten(error)
            raise

    def call_with(values, config):
        args, kwargs = parameters.join(values, config)
        return function(*args, **kwargs)

    call.class_name = name or "".join(w.title() for w in function.__name__.split("_"))
    call.tensors, call.module, call.call_with = parameters.tensors, module, call_with
    call.spec = spec
    registry.register_op(call.class_name, call)
    return call

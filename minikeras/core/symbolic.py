"""The graph that operations on KerasTensors record, and `@op`.

A `KerasTensor` is the promise of an array: shape (None for an unknown size) and
dtype. Calling an operation on one records a `Node`; the output's shape comes from
tracing the operation's own code with `jax.eval_shape`.
"""

import functools
import inspect
import itertools
from typing import Any

import jax
import numpy as np

from minikeras import config as settings
from minikeras.core import dtypes, naming, registry
from minikeras.core.bridge import isolated
from minikeras.core.call_errors import described
from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.late_import import late_import
from minikeras.core.members import Alias
from minikeras.core.object_repr import visible
from minikeras.core.tracebacks import shorten
from minikeras.core.unknown_sizes import SIZES_FOR_NONE, guesses, unfilled
from minikeras.core.variable import is_sparse

_GUESSES = 200  # how many sizes for None are tried where neither fits


_leaf_types: set[type] = set()  # neither symbolic nor containers: not looked into


def any_symbolic(args, kwargs=None) -> bool:
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


def keras_tensors(tree) -> list[KerasTensor]:
    """The KerasTensors of a tree, left to right."""
    return [x for x in jax.tree_util.tree_leaves(tree) if isinstance(x, KerasTensor)]


def dry_run(fn, *args) -> None:
    """Run `fn` on shapes for what it builds; state that it writes is dropped.

    Args:
        fn: any code in Keras style.
        *args: trees of `jax.ShapeDtypeStruct`.
    """
    with isolated():
        jax.eval_shape(fn, *args)


def output_spec(fn, args, kwargs, training=None, fills=SIZES_FOR_NONE, guess=None):
    """What `fn(*args, **kwargs)` would return, as KerasTensors.

    `fn` is traced once, or twice when a size is None. State that it writes
    (batch statistics, random counters) is dropped.

    Args:
        fn, args, kwargs: the call.
        training: the mode of layers.
        fills: two sizes that stand for None.
        guess: the sizes, with those of the KerasTensors, that a None may turn out to
            be if the call asks for it; None: only sizes that it broadcasts with.
    """
    flat, treedef = jax.tree_util.tree_flatten((args, kwargs))
    where = [i for i, x in enumerate(flat) if isinstance(x, KerasTensor)]
    tensors = [flat[i] for i in where]
    result: list = []  # (tree of the outputs, its leaves)

    def run(arrays):
        leaves = list(flat)
        for i, array in zip(where, arrays, strict=True):
            leaves[i] = _sparse(*array) if flat[i].sparse else array
        a, k = jax.tree_util.tree_unflatten(treedef, leaves)
        outputs = fn(*a, **k)
        leaves, out_tree = jax.tree_util.tree_flatten(outputs, is_leaf=is_sparse)
        result[:] = [out_tree, leaves]
        return [x for x in leaves if _is_array(x)]

    def trace(fill, tensors):
        changes = {} if training is None else {"training": training}
        with isolated(**changes):
            return jax.eval_shape(run, [_struct(x, fill) for x in tensors])

    def both(tensors):
        first = trace(fills[0], tensors)
        unknown = any(None in x.shape for x in tensors)
        return first, trace(fills[1], tensors) if unknown else first

    try:
        try:
            traced = both(tensors)
        except (TypeError, ValueError):
            if guess is None and len(tensors) == 1:
                raise
            tensors, traced = _first_that_works(both, tensors, guess)
    except Exception as error:
        if any(None in x.shape for x in tensors):
            unfilled(error, lambda fill: trace(fill, tensors), fills)
        raise
    specs = map(_merge, *traced)
    if where and tensors[0].dtype != flat[where[0]].dtype:
        specs = (_of_dtype(x, flat[where[0]].dtype) for x in specs)
    out_tree, leaves = result
    # Outputs that are no arrays (numbers, strings) pass unchanged.
    return out_tree.unflatten([next(specs) if _is_array(x) else x for x in leaves])


def _first_that_works(both, tensors, sizes):
    """(tensors with some None replaced by a size that fits, their two traces)."""
    tried = list(itertools.islice(guesses(tensors, sizes), _GUESSES))
    # Keras records functions of integers on KerasTensors of floats too.
    dtypes_tried = (None,) if sizes is None else (None, "int32")
    for dtype, guess in itertools.product(dtypes_tried, tried):
        shapes = [list(x.shape) for x in tensors]
        for (i, d), size in guess:
            shapes[i][d] = size
        guessed = [
            KerasTensor(shape, _instead(x.dtype, dtype), x.sparse, name="guess")
            for shape, x in zip(shapes, tensors, strict=True)
        ]
        try:
            return guessed, both(guessed)
        except (TypeError, ValueError):
            pass
    return tensors, both(tensors)


def _of_dtype(x, dtype):
    return KerasTensor(x.shape, dtype if x.dtype == "int32" else x.dtype, x.sparse)


def _instead(own, dtype):
    return dtype if dtype and dtypes.is_float(own) else own


def _is_array(x):
    return hasattr(x, "aval") or hasattr(x, "shape")


def _struct(tensor, fill):
    shape = tuple(fill if size is None else size for size in tensor.shape)
    dtype = dtypes.as_jax(tensor.dtype)
    if not tensor.sparse:
        return jax.ShapeDtypeStruct(shape, dtype)
    # One entry, and an array of the whole shape to carry it.
    entry = jax.ShapeDtypeStruct((1,), dtype)
    indices = jax.ShapeDtypeStruct((1, len(shape)), "int32")
    return entry, indices, jax.ShapeDtypeStruct(shape, dtype)


def _sparse(entry, indices, whole):
    BCOO = late_import("jax.experimental.sparse").BCOO
    return BCOO((entry, indices), shape=whole.shape)


def _merge(x, y):
    """Two traced outputs -> KerasTensor; sizes that differ depend on a None."""
    sizes = zip(x.shape, y.shape, strict=True)
    shape = tuple(a if a == b else None for a, b in sizes)
    return KerasTensor(shape, x.dtype, sparse=is_sparse(x))


class Node:
    """One call of an operation in a graph: its arguments and its outputs."""

    def __init__(self, operation, args, kwargs, outputs):
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

    def __repr__(self):
        return f"<Node of {self.operation.name}>"


class Operation:
    """What can be called on arrays, and recorded when called on KerasTensors.

    Subclasses define `call` and, if tracing it is not enough,
    `compute_output_spec`.
    """

    _inbound_nodes = Alias("_mk_inbound_nodes")
    _outbound_nodes = Alias("_mk_outbound_nodes")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        # The attribute set directly: subclasses may track what is assigned.
        self.__dict__["_mk_init_arguments"] = (args, kwargs)
        return self

    def __init__(self, name=None):
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

    def __getstate__(self):  # another thread may add to ours as it is pickled
        return dict(vars(self))

    def __call__(self, *args, **kwargs):
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        if getattr(self, "quantization_mode", None) is not None:
            return self.quantized_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args, **kwargs):
        """Record the call on KerasTensors; returns its output KerasTensors."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args, **kwargs):
        """The computation, on arrays."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `call` method: define what it computes."
        )

    def quantized_call(self, *args, **kwargs):
        """The computation of a quantized operation."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `quantized_call` method: define what it "
            "computes when its weights are quantized."
        )

    def rematerialized_call(self, fn, *args, **kwargs):
        """`fn`, or `fn` computed again for the gradient: see `RematScope`."""
        del args, kwargs
        if getattr(self, "_mk_remat", None) is None:
            return fn
        from minikeras.core.remat import call_again

        return functools.partial(call_again, self, fn)

    def compute_output_spec(self, *args, **kwargs):
        """The output as KerasTensors, by tracing `call`."""
        return output_spec(self.call, args, kwargs)

    def get_config(self):
        """The constructor's arguments as a JSON-ready dict."""
        from minikeras.core.serialization import init_config

        parameters = inspect.signature(type(self).__init__).parameters.values()
        named = any(p.name == "name" or p.kind is p.VAR_KEYWORD for p in parameters)
        return init_config(self, {"name": self.name} if named else {})

    @classmethod
    def from_config(cls, config):
        """A new object from `get_config()`."""
        return cls(**config)

    def _mk_first_node(self, what):
        if not self._mk_inbound_nodes:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} has never been called on a "
                f"KerasTensor, so it has no {what}."
            )
        return self._mk_inbound_nodes[0]

    @property
    def input(self):
        """KerasTensor(s) of the first call."""
        tensors = self._mk_first_node("input").input_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def output(self):
        """KerasTensor(s) that the first call gave."""
        tensors = self._mk_first_node("output").output_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    def __repr__(self):
        return f"<Operation name={self.name}>"

    def __dir__(self):
        return visible(self)


# Parameters with these names take arrays; all others configure the op.
_TENSOR_NAMES = frozenset(
    "x x1 x2 xs y a b inputs input1 input2 arrays tensors mask condition key v "
    "query value bias kernel target output start_indices indices updates "
    "operands images scores weights mean variance data target_labels logits".split()
)


class FunctionOp(Operation):
    """The record of one call of an `@op` function, with Keras's class name."""

    def __init__(self, function, config, name=None):
        super().__init__(name or naming.auto_name(function.class_name))
        self.function, self.config = function, config
        self.class_name, self.module = function.class_name, function.module

    def call(self, *args, **kwargs):
        """The function on `args`, its tensor parameters in order."""
        return self.function.call_with(args, {**self.config, **kwargs})

    def compute_output_spec(self, *args, **kwargs):
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
        """Those of shapes in the configuration, and of arrays among the arguments."""
        lists = [x for x in self.config.values() if isinstance(x, (list, tuple))]
        leaves = jax.tree_util.tree_leaves((lists, args))
        sizes = {x for x in leaves if type(x) is int and x >= 0}
        arrays = (x for x in leaves if isinstance(x, (np.ndarray, jax.Array)))
        return sizes.union(*(x.shape for x in arrays))

    def get_config(self):
        """What the call was made with, apart from arrays."""
        return {"name": self.name, **self.config}

    @classmethod
    def from_config(cls, class_name, config=None):
        """The op `class_name` with the arguments in `config`."""
        from minikeras.core.serialization import deserialize_keras_object

        config = {
            # Functions among the arguments are written as configs.
            key: deserialize_keras_object(x) if _has_config(x) else x
            for key, x in (config or {}).items()
        }
        return cls(registry.op(class_name), config, name=config.pop("name", None))


def _has_config(x):
    if isinstance(x, (list, tuple)):
        return any(map(_has_config, x))
    return isinstance(x, dict) and "class_name" in x


def small_sizes_too(trace, *args, **config):
    """The `spec` of ops whose output may be as small as an unknown size is."""
    del config
    try:
        return trace(*args, fills=(SIZES_FOR_NONE[0], 1))
    except (TypeError, ValueError, IndexError):
        return trace(*args)


def op(
    function=None,
    *,
    name=None,
    tensors=None,
    module="keras.src.ops.numpy",
    spec=None,
    nulls=False,
    symbolic=(),
) -> Any:
    """Make a public op of a pure function on arrays.

    Called on arrays it is the function; called on a KerasTensor it records a Node.

    Args:
        function: the function. It must accept anything array-like.
        name: class name of the op in Keras's files; CamelCase of the function's
            name by default.
        tensors: names of the parameters that take arrays, in order. By default
            those with a usual name (`x`, `x1`, `inputs`, ...).
        module: Keras's module of that class.
        spec: `spec(trace, *arrays, **config)` gives the output's KerasTensors where
            tracing alone does not: `trace(*arrays)` is what it would say, and
            `trace(*arrays, fills=…)` with other sizes for None.
        nulls: are arrays that are not given recorded as None? Keras's classes of
            such ops ask for them.
        symbolic: those of `tensors` that are configuration unless a KerasTensor is
            given for them.
    """
    if function is None:
        options = {"name": name, "tensors": tensors, "module": module, "spec": spec}
        return functools.partial(op, **options, nulls=nulls, symbolic=symbolic)
    parameters = _Parameters(function, tensors, nulls, symbolic)

    @functools.wraps(function)
    def call(*args, **kwargs):
        if any_symbolic(args, kwargs):
            values, named, config = parameters.split(args, kwargs)
            return FunctionOp(call, config).symbolic_call(*values, **named)
        try:
            return function(*args, **kwargs)
        except Exception as error:
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


class _Parameters:
    """Which parameters of a function take arrays; the others configure its node."""

    def __init__(self, function, tensors, nulls, symbolic=()):
        self.symbolic = symbolic
        self.signature = inspect.signature(function)
        self.names = list(self.signature.parameters)
        if tensors is None:
            tensors = tuple(p for p in self.names if p in _TENSOR_NAMES)
        kinds = {p.kind: p.name for p in self.signature.parameters.values()}
        self.tensors = tensors
        self.variadic = kinds.get(inspect.Parameter.VAR_POSITIONAL)
        self.keywords = kinds.get(inspect.Parameter.VAR_KEYWORD)
        self.plain = [p for p in tensors if p not in (self.variadic, self.keywords)]
        defaults = {p.name: p.default for p in self.signature.parameters.values()}
        plain = [p for p in self.plain if p not in symbolic]
        needed = [p for p in plain if nulls or defaults[p] is inspect._empty]
        self.least = len(needed)  # how many are recorded even if they are None

    def split(self, args, kwargs):
        """A call's (array arguments, those given by free keywords, configuration)."""
        given = self.signature.bind(*args, **kwargs)
        given.apply_defaults()
        config = dict(given.arguments)
        named = config.pop(self.keywords or "", {})
        if self.keywords not in self.tensors:
            config.update(named)
            named = {}
        if config.get("data_format", "") is None:
            config["data_format"] = settings.image_data_format()
        static = {k for k in self.symbolic if not any_symbolic((config[k],))}
        values = [config.pop(key) for key in self.plain if key not in static]
        values += config.pop(self.variadic) if self.variadic else ()
        while len(values) > self.least and values[-1] is None:
            values.pop()
        return values, named, config

    def join(self, values, config):
        """The function's positional and keyword arguments again."""
        if self.plain == self.names[: len(self.plain)] and self.variadic is None:
            return values, config
        given = {**config, **dict(zip(self.plain, values, strict=False))}
        if self.variadic is None:
            return (), given
        before = [given.pop(p) for p in self.names[: self.names.index(self.variadic)]]
        return (*before, *values[len(self.plain) :]), given

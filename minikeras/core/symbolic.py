"""KerasTensors, the graph they record, and `@op`.

A `KerasTensor` is the promise of an array: shape (None for an unknown size) and
dtype. Calling an operation on one records a `Node`; the output's shape comes from
tracing the operation's own code with `jax.eval_shape`.
"""

import functools
import inspect
from typing import Any

import jax

from minikeras import config as settings
from minikeras.core import dtypes, naming, registry
from minikeras.core.functional import Masks, bound

# Sizes that stand for None while an output shape is traced. An output size that
# differs between the two traces is None too. Both divide by all small numbers, so
# that reshapes of unknown sizes work.
_FILLS = (5040, 10080)


class KerasTensor:
    """A symbolic array: the input or output of a node in a graph.

    Args:
        shape: tuple of ints; None for a size that is not known yet.
        dtype: name of the dtype.
        sparse: does it stand for a sparse (`BCOO`) array?
        ragged: must be False on JAX.
        record_history: kept for compatibility.
        name: unique by default.
    """

    def __init__(
        self,
        shape,
        dtype="float32",
        sparse=False,
        ragged=False,
        record_history=True,
        name=None,
        **kwargs,
    ):
        del record_history, kwargs
        self._shape = dtypes.standardize_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype)
        self._sparse, self._ragged = bool(sparse), bool(ragged)
        self.name = name or naming.auto_name(type(self).__name__)

    @property
    def shape(self):
        """Tuple of sizes, None where unknown."""
        return self._shape

    @property
    def dtype(self):
        """Name of the dtype."""
        return self._dtype

    @property
    def sparse(self):
        """Does it stand for a sparse array?"""
        return self._sparse

    @property
    def ragged(self):
        """Always False on JAX."""
        return self._ragged

    @property
    def ndim(self):
        """Number of dimensions."""
        return len(self._shape)

    def reshape(self, newshape):
        """`ops.reshape(self, newshape)`."""
        return registry.op("Reshape")(self, newshape)

    def squeeze(self, axis=None):
        """`ops.squeeze(self, axis)`."""
        return registry.op("Squeeze")(self, axis)

    def __getitem__(self, key):
        return registry.op("GetItem")(self, key)

    def __round__(self, ndigits=None):
        return registry.op("Round")(self, ndigits or 0)

    def __repr__(self):
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, "
            f"sparse={self.sparse}, ragged={self.ragged}, name={self.name}>"
        )

    def _refuse(self, what, remedy):
        raise TypeError(
            f"{self!r} is symbolic: it has no values, so it cannot {what}. {remedy}"
        )

    def __array__(self, dtype=None, copy=None):
        self._refuse(
            "become a numpy array",
            "Use functions of keras.ops, or a layer, to compute with it.",
        )

    def __jax_array__(self):
        self._refuse(
            "be given to a JAX function",
            "Use functions of keras.ops, or a layer whose `call` uses JAX.",
        )

    def __bool__(self):
        self._refuse("decide a Python condition", "Use keras.ops.where or ops.cond.")

    def __iter__(self):
        self._refuse("be iterated over", "Use keras.ops.unstack or slices.")

    def __int__(self):
        self._refuse("become an int", "Call the model on arrays to get values.")

    __float__ = __index__ = __int__


def _install_operators():
    binary = {
        **{"add": "Add", "sub": "Subtract", "mul": "Multiply", "matmul": "Matmul"},
        **{"truediv": "TrueDivide", "floordiv": "FloorDivide", "mod": "Mod"},
        **{"pow": "Power", "and": "LogicalAnd", "or": "LogicalOr"},
        **{"xor": "LogicalXor"},
    }
    # No "eq": tensors are equal when they are the same object.
    compare = {"ne": "NotEqual", "lt": "Less", "le": "LessEqual"}
    compare |= {"gt": "Greater", "ge": "GreaterEqual"}
    unary = {"neg": "Negative", "abs": "Absolute", "invert": "LogicalNot"}

    for name, class_name in (binary | compare).items():

        def forward(self, other, class_name=class_name):
            return registry.op(class_name)(self, other)

        def reflected(self, other, class_name=class_name):
            return registry.op(class_name)(other, self)

        setattr(KerasTensor, f"__{name}__", forward)
        if name in binary:
            setattr(KerasTensor, f"__r{name}__", reflected)
    for name, class_name in unary.items():
        setattr(
            KerasTensor,
            f"__{name}__",
            lambda self, class_name=class_name: registry.op(class_name)(self),
        )
    KerasTensor.__hash__ = object.__hash__


_install_operators()


def is_keras_tensor(x) -> bool:
    """Is `x` symbolic?"""
    return isinstance(x, KerasTensor)


def any_symbolic(args, kwargs=None) -> bool:
    """Is there a KerasTensor among the arguments, at any depth?"""
    for x in args:
        if isinstance(x, KerasTensor):
            return True
        if isinstance(x, (list, tuple)):
            if any_symbolic(x):
                return True
        elif isinstance(x, dict) and any_symbolic(x.values()):
            return True
    return bool(kwargs) and any_symbolic(kwargs.values())


def keras_tensors(tree) -> list[KerasTensor]:
    """The KerasTensors of a tree, left to right."""
    return [x for x in jax.tree_util.tree_leaves(tree) if isinstance(x, KerasTensor)]


def output_spec(fn, args, kwargs, training=None):
    """What `fn(*args, **kwargs)` would return, as KerasTensors.

    `fn` is traced once, or twice when a size is None. State that it writes
    (batch statistics, random counters) is dropped.
    """
    flat, treedef = jax.tree_util.tree_flatten((args, kwargs))
    where = [i for i, x in enumerate(flat) if isinstance(x, KerasTensor)]
    result: list = []  # (tree of the outputs, its leaves)

    def run(arrays):
        leaves = list(flat)
        for i, array in zip(where, arrays, strict=True):
            leaves[i] = array
        a, k = jax.tree_util.tree_unflatten(treedef, leaves)
        leaves, out_tree = jax.tree_util.tree_flatten(fn(*a, **k))
        result[:] = [out_tree, leaves]
        return [x for x in leaves if _is_array(x)]

    def trace(fill):
        changes = {"masks": Masks(), "losses": []}
        if training is not None:
            changes["training"] = training
        with bound({}, **changes):
            return jax.eval_shape(run, [_struct(flat[i], fill) for i in where])

    first = trace(_FILLS[0])
    unknown = any(None in flat[i].shape for i in where)
    specs = map(_merge, first, trace(_FILLS[1]) if unknown else first)
    out_tree, leaves = result
    # Outputs that are no arrays (numbers, strings) pass unchanged.
    return out_tree.unflatten([next(specs) if _is_array(x) else x for x in leaves])


def _is_array(x):
    return hasattr(x, "aval") or hasattr(x, "shape")


def _struct(tensor, fill):
    shape = [fill if size is None else size for size in tensor.shape]
    return jax.ShapeDtypeStruct(shape, dtypes.as_jax(tensor.dtype))


def _merge(x, y):
    """Two traced outputs -> KerasTensor; sizes that differ depend on a None."""
    sizes = zip(x.shape, y.shape, strict=True)
    return KerasTensor(tuple(a if a == b else None for a, b in sizes), x.dtype)


class Node:
    """One call of an operation in a graph: its arguments and its outputs."""

    def __init__(self, operation, args, kwargs, outputs):
        self.operation = operation
        self.args, self.kwargs, self.outputs = args, kwargs, outputs
        self.input_tensors = keras_tensors((args, kwargs))
        self.output_tensors = jax.tree_util.tree_leaves(outputs)
        self.is_input = not self.input_tensors
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, tensor in enumerate(self.output_tensors):
            if isinstance(tensor, KerasTensor):
                tensor._keras_history = (operation, index, i)
        for tensor in self.input_tensors:
            if history := getattr(tensor, "_keras_history", None):
                history[0]._outbound_nodes.append(self)

    def __repr__(self):
        return f"<Node of {self.operation.name}>"


class Operation:
    """What can be called on arrays, and recorded when called on KerasTensors.

    Subclasses define `call` and, if tracing it is not enough,
    `compute_output_spec`.
    """

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        # The attribute set directly: subclasses may track what is assigned.
        self.__dict__["_init_arguments"] = (args, kwargs)
        return self

    def __init__(self, name=None):
        if name is None:
            name = naming.auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string without '/'. "
                f"Received: name={name!r} (of type {type(name)})"
            )
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    def __call__(self, *args, **kwargs):
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
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

    def rematerialized_call(self, fn, *args, **kwargs):
        """`fn`, or `fn` computed again for the gradient: see `RematScope`."""
        del args, kwargs
        if getattr(self, "_remat", None) is None:
            return fn
        from minikeras.core.remat import call_again

        return functools.partial(call_again, self, fn)

    def compute_output_spec(self, *args, **kwargs):
        """The output as KerasTensors, by tracing `call`."""
        return output_spec(self.call, args, kwargs)

    def get_config(self):
        """The constructor's arguments as a JSON-ready dict."""
        return init_config(self, {"name": self.name})

    @classmethod
    def from_config(cls, config):
        """A new object from `get_config()`."""
        return cls(**config)

    def _first_node(self, what):
        if not self._inbound_nodes:
            raise AttributeError(
                f"{type(self).__name__} {self.name!r} has never been called on a "
                f"KerasTensor, so it has no {what}."
            )
        return self._inbound_nodes[0]

    @property
    def input(self):
        """KerasTensor(s) of the first call."""
        tensors = self._first_node("input").input_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def output(self):
        """KerasTensor(s) that the first call gave."""
        tensors = self._first_node("output").output_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    def __repr__(self):
        return f"<Operation name={self.name}>"


@functools.cache
def init_parameters(cls) -> tuple[str, ...]:
    """Names of the constructor's own parameters, without self, * and **."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind not in kinds)


def init_config(obj, base):
    """Config of a user's class that has no `get_config`: what it was made with.

    Raises:
        NotImplementedError: an argument that a file cannot hold.
    """
    cls = type(obj)
    args, kwargs = obj._init_arguments
    try:
        given = inspect.signature(cls.__init__).bind(obj, *args, **kwargs)
    except TypeError:
        return base
    given.apply_defaults()
    values = dict(list(given.arguments.items())[1:])
    for name, parameter in inspect.signature(cls.__init__).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            values.update(values.pop(name, {}))
        elif parameter.kind is parameter.VAR_POSITIONAL and not values.get(name):
            values.pop(name, None)
    own = {k: v for k, v in values.items() if k not in base}
    for name, value in own.items():
        if not _is_plain(value):
            raise NotImplementedError(
                f"{cls.__name__} was made with {name}={value!r}, which a file cannot "
                f"hold. Define `get_config()` in {cls.__name__}: return "
                "{**super().get_config(), ...} with JSON-ready values, and turn them "
                "back in `__init__` or `from_config`."
            )
    return {**base, **own}


def _is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, (str, bool, int, float))


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
        trace, spec = super().compute_output_spec, self.function.spec
        if spec is None:
            return trace(*args, **kwargs)
        return spec(trace, *args, **{**self.config, **kwargs})

    def get_config(self):
        """What the call was made with, apart from arrays."""
        return {"name": self.name, **self.config}

    @classmethod
    def from_config(cls, class_name, config=None):
        """The op `class_name` with the arguments in `config`."""
        config = dict(config or {})
        return cls(registry.op(class_name), config, name=config.pop("name", None))


def op(
    function=None, *, name=None, tensors=None, module="keras.src.ops.numpy", spec=None
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
            tracing alone does not: `trace(*arrays)` is what it would say.
    """
    if function is None:
        return functools.partial(
            op, name=name, tensors=tensors, module=module, spec=spec
        )
    signature = inspect.signature(function)
    if tensors is None:
        tensors = tuple(p for p in signature.parameters if p in _TENSOR_NAMES)
    names = list(signature.parameters)
    kinds = {p.kind: p.name for p in signature.parameters.values()}
    variadic = kinds.get(inspect.Parameter.VAR_POSITIONAL)
    keywords = kinds.get(inspect.Parameter.VAR_KEYWORD)
    plain = [p for p in tensors if p not in (variadic, keywords)]

    @functools.wraps(function)
    def call(*args, **kwargs):
        if any_symbolic(args, kwargs):
            return record(args, kwargs)
        return function(*args, **kwargs)

    def record(args, kwargs):
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        arguments = given.arguments
        named = arguments.pop(keywords, {})
        if keywords not in tensors:  # they configure the op, or else its call
            arguments.update(named)
            named = {}
        if arguments.get("data_format", "") is None:
            arguments["data_format"] = settings.image_data_format()
        values = [arguments.pop(key) for key in plain]
        values += arguments.pop(variadic) if variadic else ()
        while values and values[-1] is None:
            values.pop()
        return FunctionOp(call, dict(arguments)).symbolic_call(*values, **named)

    def call_with(values, config):
        given = {**config, **dict(zip(plain, values, strict=False))}
        if variadic is None:
            return function(**given)
        before = [given.pop(p) for p in names[: names.index(variadic)]]
        return function(*before, *values[len(plain) :], **given)

    call.class_name = name or "".join(w.title() for w in function.__name__.split("_"))
    call.tensors, call.module, call.call_with = tensors, module, call_with
    call.pure, call.spec = function, spec
    registry.register_op(call.class_name, call)
    return call

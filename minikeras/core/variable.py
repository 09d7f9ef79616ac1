"""Variable: a path, a value and a `trainable` flag; the only mutable cell."""

import operator
import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes, naming, registry
from minikeras.core.bridge import Bindings, bound, current
from minikeras.core.ragged import ragged_error


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """Array-like, Variable or Python number -> `jax.Array`.

    Python floats become `floatx()`, other values keep their dtype (64-bit ones
    become 32-bit unless JAX is in 64-bit mode).

    Args:
        x: what to convert.
        dtype: cast to it; None keeps the dtype.
        sparse: `False` makes a sparse `BCOO` array dense.
        ragged: ragged arrays do not exist on JAX: must be falsy.

    Raises:
        ValueError: `ragged`, or a list with rows of unequal lengths.
    """
    if ragged:
        raise ValueError("convert_to_tensor: ragged arrays do not exist on JAX.")
    if isinstance(x, Variable):
        x = x.value
    if isinstance(x, jax.Array):
        return x if dtype is None else x.astype(dtypes.standardize_dtype(dtype))
    if sparse is False and is_sparse(x):
        x = x.todense()
    if is_sparse(x):
        return x if dtype is None else x.astype(dtypes.standardize_dtype(dtype))
    if dtype is None:
        dtype = _python_dtype(x)
    dtype = dtype and jax.dtypes.canonicalize_dtype(dtypes.as_jax(dtype))
    try:
        return jnp.asarray(_plain(x), dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ragged_error(x, error) from None


# Held while Variables change hands, or several are assigned that belong together.
assigning = threading.RLock()
array_types: set[type] = set()  # `isinstance` of an array is slow


def as_array(x):
    """Array-like, Variable or number -> array; sparse arrays become dense."""
    if type(x) in array_types:
        return x
    if isinstance(x, jax.Array):
        array_types.add(type(x))
        return x
    return convert_to_tensor(x, sparse=False)


def is_sparse(x) -> bool:
    """Is `x` a sparse array, a `BCOO` of JAX or one of SciPy?"""
    return hasattr(x, "todense")


def _own(x, dtype):
    """A numpy array as a new JAX array, other values as they are.

    `jnp.asarray` may share the caller's memory, and compiles a program for each shape.
    """
    if not isinstance(x, np.ndarray):
        return x
    return jax.device_put(x.copy() if dtype is None else x.astype(dtypes.as_jax(dtype)))


def _plain(x):
    """Nested lists may hold Variables and arrays, which numpy would not stack."""
    if isinstance(x, (list, tuple)):
        if any(isinstance(leaf, (jax.Array, Variable)) for leaf in _leaves(x)):
            return jnp.stack([convert_to_tensor(item) for item in x])
    return x


def _leaves(x):
    for item in x:
        if isinstance(item, (list, tuple)):
            yield from _leaves(item)
        else:
            yield item


def _python_dtype(x):
    """The dtype of Python numbers and nested lists of them; None: keep x's own."""
    if isinstance(x, bool):
        return "bool"
    if isinstance(x, int):
        return "int32"
    if isinstance(x, float):
        return dtypes.floatx()
    if isinstance(x, (list, tuple)):
        kinds = {type(leaf) for leaf in _leaves(x)}
        if kinds <= {bool, int, float}:
            if float in kinds or not kinds:
                return dtypes.floatx()
            return "int32" if int in kinds else "bool"
    return None


class StatelessBindings(Bindings):
    """The bindings of a `StatelessScope`: Variables made inside get values later."""

    __slots__ = ("waiting",)

    def __init__(self, values):
        super().__init__(values, current().bindings)
        self.waiting: list[Variable] = []

    def leave(self):
        """Draw the values that the outermost scope put off."""
        if (outer := _innermost_stateless(self.outer)) is not None:
            outer.waiting += self.waiting
            return
        for variable in self.waiting:
            variable._value = variable._drawn()
            variable._initializer = None


def _innermost_stateless(bindings) -> "StatelessBindings | None":
    """The innermost stateless scope around, or None."""
    while bindings is not None and not isinstance(bindings, StatelessBindings):
        bindings = bindings.outer
    return bindings


# What a copy has not: the value is its own, drawn, and lies where JAX puts it.
_UNSHARED = {"_lease": None, "_initializer": None, "_layout": None}


class Variable:
    """An array that can be assigned, shared by everything that refers to it.

    In a `StatelessScope` it takes its first value when the scope is left, and reads
    as a new draw of the initializer until then.

    Args:
        initializer: array-like initial value, or `f(shape, dtype=)` with `shape`.
        shape: tuple of ints; needed with a callable initializer.
        dtype: `floatx()` for callables by default, else the value's own.
        trainable: do optimizers update it?
        autocast: cast to the layer's compute dtype when read inside its `call`.
        aggregation, synchronization: kept for multi-device training.
        name: without "/"; unique by default.
        layout: placement of the value over devices (`jax.sharding.Sharding`).

    Raises:
        ValueError: bad name, unknown aggregation, or a missing shape.
    """

    def __init__(
        self,
        initializer,
        shape=None,
        dtype=None,
        trainable=True,
        autocast=True,
        aggregation="none",
        synchronization="auto",
        name=None,
        layout=None,
        **kwargs,
    ):
        del kwargs
        self.name = naming.auto_name(type(self).__name__) if name is None else name
        if not isinstance(self.name, str) or "/" in self.name:
            raise ValueError(
                "Variable: Argument `name` must be a string and cannot contain "
                f"character `/`, got {name!r}."
            )
        allowed = (None, "none", "mean", "sum", "only_first_replica")
        if aggregation not in allowed:
            raise ValueError(
                f"Variable: aggregation must be one of {allowed}, got {aggregation!r}."
            )
        self.path = "/".join((*current().path, self.name))
        self._trainable = self._born_trainable = bool(trainable)
        self._autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization
        self._regularizer = self._constraint = self._lease = None
        self._overwrite_with_gradient = False
        if isinstance(initializer, str):
            initializer = registry.family("initializers").get(initializer)
        self._layout = layout
        self._initializer: Any = None  # until the value is drawn
        if callable(initializer):
            self._plan(initializer, shape, dtype)
        else:
            self._value = self._placed(self._own_value(initializer, shape, dtype))
            self.shape = tuple(self._value.shape)
            self._dtype = dtypes.standardize_dtype(self._value.dtype)
        self._ndim = len(self.shape)

    def _plan(self, initializer, shape, dtype):
        """Take the value of an initializer, now or when the scope is left."""
        if shape is None:
            raise ValueError(
                "When creating a Variable from an initializer, the `shape` must be "
                f"given, got shape=None and initializer={initializer!r}."
            )
        self.shape = dtypes.standardize_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype or dtypes.floatx())
        self._initializer, self._value = initializer, None
        if (scope := _innermost_stateless(current().bindings)) is not None:
            scope.waiting.append(self)
            return
        self._value, self._initializer = self._drawn(), None
        self.shape = tuple(self._value.shape)
        self._dtype = dtypes.standardize_dtype(self._value.dtype)

    def _drawn(self):
        """A draw of the initializer."""
        # Layers are also built while a model is being traced: the value of a
        # new variable must be an array all the same, never a tracer.
        with jax.core.eval_context(), bound({}, autocast=None):
            value = self._initializer(self.shape, dtype=self._dtype)
            return self._placed(convert_to_tensor(value, self._dtype))

    def _placed(self, value):
        return value if self._layout is None else jax.device_put(value, self._layout)

    def _own_value(self, initializer, shape, dtype):
        if _innermost_stateless(current().bindings) is not None:
            raise ValueError(
                f"Variable {self.path}: an array cannot become the value of a new "
                "variable while in a stateless scope, which leaves variables as they "
                "are. Create it before the scope, or give `shape` and an initializer."
            )
        with jax.core.eval_context(), bound({}, autocast=None):
            value = convert_to_tensor(_own(initializer, dtype), dtype)
            if isinstance(initializer, jax.Array) and value is initializer:
                value = jnp.copy(value)  # a later donation must not take the caller's
            if shape is not None and tuple(shape) != tuple(value.shape):
                raise ValueError(
                    f"Variable {self.path}: shape={tuple(shape)} does not match the "
                    f"initial value's shape {tuple(value.shape)}."
                )
            return value

    @property
    def dtype(self):
        """Dtype of what reading gives: inside a layer, its compute dtype."""
        cast = current().autocast
        if cast is not None and self._autocast and "float" in self._dtype:
            return cast
        return self._dtype

    @property
    def value(self):
        """The current array: the bound one inside a bridge, else its own."""
        frame = current()
        value = None
        if frame.bindings is not None:
            value = frame.bindings.lookup(self)
        if value is None:
            value = self._own_array()
        if frame.autocast is not None and self._autocast:
            if jnp.issubdtype(value.dtype, jnp.floating):
                return value.astype(frame.autocast)
        return value

    def _own_array(self):
        while True:  # a loop in another thread may just take it, or give it back
            value, lease = self._value, self._lease
            if lease is not None:
                return lease.read(self)
            if value is not None:
                return value
            if self._initializer is not None:
                return self._drawn()

    def assign(self, value):
        """Replace the value; shapes must agree. Returns the new value."""
        bindings, free = current().bindings, self._lease is None
        if bindings is not None or free or not isinstance(value, np.ndarray):
            value = convert_to_tensor(_own(value, self._dtype), self._dtype)
        if tuple(value.shape) != self.shape:
            raise ValueError(
                f"Variable {self.path}: cannot assign a value of shape "
                f"{tuple(value.shape)}; the variable's shape is {self.shape}."
            )
        if bindings is not None:
            bindings.bind(self, value)
            return value
        with assigning:
            if self._lease is not None:
                self._lease.write(self, value)
            elif isinstance(value, np.ndarray):  # it was given back just now
                self._value = convert_to_tensor(_own(value, self._dtype), self._dtype)
            else:
                self._value = value
        return value

    def assign_add(self, value):
        """`assign(self + value)`."""
        return self.assign(self.value + convert_to_tensor(value, self.dtype))

    def assign_sub(self, value):
        """`assign(self - value)`."""
        return self.assign(self.value - convert_to_tensor(value, self.dtype))

    @property
    def trainable(self):
        """Do optimizers update it?"""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)

    @property
    def overwrite_with_gradient(self):
        """Does its gradient replace the value, as for scales of float8?"""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value):
        if not isinstance(value, bool):
            raise TypeError(
                f"Variable {self.path}: `overwrite_with_gradient` must be a boolean. "
                f"Give True or False, got {value!r}."
            )
        self._overwrite_with_gradient = value

    @property
    def regularizer(self):
        """What gives the penalty on its value, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value):
        self._regularizer = self._function("regularizer", value)

    @property
    def constraint(self):
        """What its value is projected by after each step, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value):
        self._constraint = self._function("constraint", value)

    def _function(self, attribute, value):
        if value is not None and not callable(value):
            raise ValueError(
                f"Variable {self.path}: Invalid value for attribute `{attribute}`: "
                f"expected a function of an array, or None, got {value!r}."
            )
        return value

    @property
    def ndim(self):
        """Number of dimensions."""
        return self._ndim

    def numpy(self):
        """The value as a new numpy array."""
        return np.array(self.value)

    def __repr__(self):
        value = "" if self._initializer is not None else f", value={self.value}"
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}"
            f"{value}>"
        )

    def __jax_array__(self):
        return self.value

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.value, dtype=dtype)

    def __hash__(self):
        return id(self)

    def __getitem__(self, index):
        return self.value[index]

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return iter(self.value)

    def __int__(self):
        return int(self.value)

    def __float__(self):
        return float(self.value)

    def __bool__(self):
        raise TypeError(
            "A Keras Variable cannot be used as a boolean. Compare with None, or take "
            f"`bool(variable.value)`: {self.path} has the shape {self.shape}."
        )

    def __round__(self, ndigits=None):
        return registry.op("Round")(self.value, ndigits or 0)

    def __index__(self):
        return operator.index(self.value)

    def __deepcopy__(self, memo):
        copy = object.__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__dict__, _value=jnp.copy(self.value), **_UNSHARED)
        return copy

    def __getstate__(self):
        return self.__dict__ | _UNSHARED | {"_value": np.asarray(self.value)}

    def __setstate__(self, state):
        self.__dict__.update(state, _value=jnp.asarray(state["_value"]))


def unique_paths(variables):
    """{path: Variable}, in order; a path that is taken goes on as path_1, path_2, …

    >>> list(unique_paths([Variable(0.0, name="a"), Variable(1.0, name="a")]))
    ['a', 'a_1']
    """
    table = {}
    for variable in variables:
        path, count = variable.path, 0
        while path in table:
            count += 1
            path = f"{variable.path}_{count}"
        table[path] = variable
    return table


def _binary(function):
    def forward(self, other):
        return function(self.value, _operand(other))

    def reflected(self, other):
        return function(_operand(other), self.value)

    return forward, reflected


def _operand(x):
    if isinstance(x, (list, tuple, np.ndarray, Variable)):
        return convert_to_tensor(x)
    return x


def _logical(class_name):
    """Keras's `&`, `|` and `^` take the truth of the entries, of any dtype."""
    return lambda a, b: registry.op(class_name)(a, b)


_FUNCTIONS = {
    **{"and": _logical("LogicalAnd"), "or": _logical("LogicalOr")},
    **{"xor": _logical("LogicalXor")},
}
for (
    _name
) in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    _function = _FUNCTIONS.get(_name) or getattr(operator, f"__{_name}__")
    _forward, _reflected = _binary(_function)
    setattr(Variable, f"__{_name}__", _forward)
    setattr(Variable, f"__r{_name}__", _reflected)
for _name in "eq ne lt le gt ge".split():
    setattr(Variable, f"__{_name}__", _binary(getattr(operator, f"__{_name}__"))[0])
for _name in "neg pos abs invert".split():
    _unary = getattr(operator, f"__{_name}__")
    setattr(Variable, f"__{_name}__", lambda self, f=_unary: f(self.value))

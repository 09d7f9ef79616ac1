"""Variable: a path, a value and a `trainable` flag; the only mutable cell."""

import operator

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes, naming, registry
from minikeras.core.functional import bound, current


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """Array-like, Variable or Python number -> `jax.Array`.

    Python floats become `floatx()`, other values keep their dtype (64-bit ones
    become 32-bit unless JAX is in 64-bit mode).

    Args:
        x: what to convert.
        dtype: cast to it; None keeps the dtype.
        sparse: `False` makes a sparse `BCOO` array dense.
        ragged: ragged arrays do not exist on JAX: must be falsy.
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
    return jnp.asarray(
        _plain(x), dtype=dtype and jax.dtypes.canonicalize_dtype(dtypes.as_jax(dtype))
    )


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


class Variable:
    """An array that can be assigned, shared by everything that refers to it.

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
                f"Variable: name must be a string without '/', got {name!r}."
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
        self.regularizer = None
        self.constraint = None
        self.overwrite_with_gradient = False
        self._lease = None
        self._value = self._initial_value(initializer, shape, dtype)
        if layout is not None:
            self._value = jax.device_put(self._value, layout)
        self.shape = tuple(self._value.shape)
        self._dtype = dtypes.standardize_dtype(self._value.dtype)
        self._ndim = len(self.shape)

    def _initial_value(self, initializer, shape, dtype):
        if isinstance(initializer, str):
            initializer = registry.family("initializers").get(initializer)
        # Layers are also built while a model is being traced: the value of a
        # new variable must be an array all the same, never a tracer.
        with jax.core.eval_context(), bound({}, autocast=None):
            if callable(initializer):
                if shape is None:
                    raise ValueError(
                        "Variable: a callable initializer needs `shape=`, got None."
                    )
                shape = dtypes.standardize_shape(shape)
                dtype = dtypes.standardize_dtype(dtype or dtypes.floatx())
                return convert_to_tensor(initializer(shape, dtype=dtype), dtype)
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
            value = self._value if self._lease is None else self._lease.read(self)
        if frame.autocast is not None and self._autocast:
            if jnp.issubdtype(value.dtype, jnp.floating):
                return value.astype(frame.autocast)
        return value

    def assign(self, value):
        """Replace the value; shapes must agree. Returns the new value."""
        bindings, lease = current().bindings, self._lease
        if bindings is not None or lease is None or not isinstance(value, np.ndarray):
            value = convert_to_tensor(_own(value, self._dtype), self._dtype)
        if tuple(value.shape) != self.shape:
            raise ValueError(
                f"Variable {self.path}: cannot assign a value of shape "
                f"{tuple(value.shape)}; the variable's shape is {self.shape}."
            )
        if bindings is not None:
            bindings.bind(self, value)
        elif lease is not None:
            lease.write(self, value)
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
    def ndim(self):
        """Number of dimensions."""
        return self._ndim

    def numpy(self):
        """The value as a new numpy array."""
        return np.array(self.value)

    def __repr__(self):
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, "
            f"value={self.value}>"
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
        return bool(self.value)

    def __index__(self):
        return operator.index(self.value)

    def __deepcopy__(self, memo):
        copy = object.__new__(type(self))
        memo[id(self)] = copy
        copy.__dict__.update(self.__dict__, _lease=None, _value=jnp.copy(self.value))
        return copy

    def __getstate__(self):
        state = self.__dict__ | {"_lease": None, "_value": np.asarray(self.value)}
        return state

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


for (
    _name
) in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    _function = getattr(operator, f"__{_name}__")
    _forward, _reflected = _binary(_function)
    setattr(Variable, f"__{_name}__", _forward)
    setattr(Variable, f"__r{_name}__", _reflected)
for _name in "eq ne lt le gt ge".split():
    setattr(Variable, f"__{_name}__", _binary(getattr(operator, f"__{_name}__"))[0])
for _name in "neg pos abs invert".split():
    _unary = getattr(operator, f"__{_name}__")
    setattr(Variable, f"__{_name}__", lambda self, f=_unary: f(self.value))

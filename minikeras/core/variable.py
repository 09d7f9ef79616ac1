"""Variable: a path, a value and a `trainable` flag; the only mutable cell."""

import contextvars
import operator
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core import dtypes, naming, registry
from minikeras.core.bridge import Bindings, bound, current
from minikeras.core.operators import Operators, install_operators
from minikeras.core.platform import aligned_empty
from minikeras.core.ragged import ragged_error


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """Convert an array-like, a Variable or a number to a `jax.Array`.

    Python floats become `floatx()`, other values keep their dtype (64-bit ones
    become 32-bit unless JAX is in 64-bit mode).

    Args:
        x: array of JAX or numpy, Variable, number, or nested lists of these.
        dtype: dtype of the result; None keeps that of `x`.
        sparse: False makes a sparse `BCOO` array dense; otherwise it stays sparse.
        ragged: must be false: JAX has no ragged arrays.

    Returns:
        The array, of the shape of `x`.

    Raises:
        ValueError: `ragged` is true, or a list has rows of unequal lengths.

    >>> convert_to_tensor([1, 2.5]).dtype.name
    'float32'
    """
    if ragged:
        raise ValueError("convert_to_tensor: ragged arrays do not exist on JAX.")
    if isinstance(x, Variable):
        x = x.value
    if sparse is False and is_sparse(x):
        x = x.todense()
    if isinstance(x, jax.Array) or is_sparse(x):
        return x if dtype is None else x.astype(dtypes.standardize_dtype(dtype))
    if dtype is None:
        dtype = dtypes.python_dtype(x)
    dtype = dtype and jax.dtypes.canonicalize_dtype(dtypes.as_jax(dtype))
    try:
        return jnp.asarray(_stacked(x), dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ragged_error(x, error) from None


# Held while Variables are leased or given back, and while several are assigned that
# belong together, so that a step of another thread sees all of them or none.
assign_lock = threading.RLock()
# Types known to be arrays. Ops ask for each argument, and `isinstance(x, jax.Array)`
# goes through a metaclass: it takes 0.3 us, a look-up in a set 0.03 us.
array_types: set[type] = set()


def as_array(x: Any) -> Any:
    """Convert as `convert_to_tensor` does; sparse arrays become dense."""
    if type(x) in array_types:
        return x
    if isinstance(x, jax.Array):
        array_types.add(type(x))
        return x
    return convert_to_tensor(x, sparse=False)


def is_sparse(x: Any) -> bool:
    """Is `x` a sparse array, a `BCOO` of JAX or one of SciPy?"""
    # By attribute, because an `isinstance` needs jax.experimental.sparse, whose import
    # takes 0.2 s.
    return hasattr(x, "todense")


def _new_array(x, dtype):
    """`convert_to_tensor` that copies a numpy array.

    `jnp.asarray` may share the caller's memory, and compiles a program for each shape.
    """
    if isinstance(x, np.ndarray):
        copy = aligned_empty(x.shape, dtypes.as_jax(dtype) if dtype else x.dtype)
        copy[...] = x
        x = jax.device_put(copy)
    return convert_to_tensor(x, dtype)


def _stacked(x):
    """Stack nested lists that hold Variables or arrays, which numpy would not stack."""
    if isinstance(x, (list, tuple)):
        leaves = dtypes.list_leaves(x)
        if any(isinstance(leaf, (jax.Array, Variable)) for leaf in leaves):
            return jnp.stack([convert_to_tensor(item) for item in x])
    return x


def innermost_stateless(bindings: Bindings | None) -> Any:
    """The bindings of the innermost `StatelessScope` around, or None."""
    while bindings is not None and bindings.uninitialized is None:
        bindings = bindings.outer
    return bindings


# A copy has a value of its own, so the lease, the initializer and the placement of the
# original do not apply to it.
_UNSHARED = {"_lease": None, "_initializer": None, "_layout": None}


class Variable(Operators):
    """An array that can be assigned, shared by everything that refers to it.

    In a `StatelessScope` it takes its first value when the scope ends. Until then,
    reading it gives a new draw of the initializer.

    Args:
        initializer: the initial value, an array-like; or a function
            `f(shape, dtype=)` that returns it, or the name of an initializer.
        shape: tuple of ints; needed with a function or a name.
        dtype: dtype of the value. None: `floatx()` with a function, else the dtype
            of the given value.
        trainable: do optimizers update it?
        autocast: do layers with another compute dtype read it in that dtype?
        aggregation, synchronization: how (None, "none", "mean", "sum" or
            "only_first_replica") and when replicas are joined. Kept, not used.
        name: string without "/"; unique by default.
        layout: placement of the value over devices, a `jax.sharding.Sharding`.
        **kwargs: ignored.

    Raises:
        ValueError: bad name, unknown aggregation, or a missing shape.

    >>> v = Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0]).tolist(), (v * 2).tolist()
    ([2.0, 3.0], [4.0, 6.0])
    """

    def __init__(
        self,
        initializer: Any,
        shape: Iterable[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ):
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
        # As in Keras, freezing a layer does not change the order of its weights, which
        # is also the order in files: those made trainable come first.
        self._trainable = self._initially_trainable = bool(trainable)
        self._autocast = bool(autocast)
        self.aggregation = aggregation or "none"
        self.synchronization = synchronization
        self._regularizer = self._constraint = self._lease = self._value = None
        self._overwrite_with_gradient = False
        if isinstance(initializer, str):
            initializer = registry.family("initializers").get(initializer)
        self._layout = layout
        if callable(initializer):
            self._init_from_function(initializer, shape, dtype)
        else:
            self._take(self._placed(self._given_value(initializer, shape, dtype)))

    def _init_from_function(self, initializer, shape, dtype):
        """Take the value of an initializer, now or when the stateless scope ends."""
        if shape is None:
            raise ValueError(
                "When creating a Variable from an initializer, the `shape` must be "
                f"given, got shape=None and initializer={initializer!r}."
            )
        self.shape = dtypes.allocatable_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype or dtypes.floatx())
        self._initializer: Any = initializer  # until there is a value
        if (scope := innermost_stateless(current().bindings)) is not None:
            scope.uninitialized.append(self)
        elif (loading := current().serialization.loading) is not None:
            loading.defer(self)
        else:
            self.initialize()

    def initialize(self) -> None:
        """Take the value of the initializer, if there is no value yet."""
        if self._value is None and self._initializer is not None:
            value = self._initial_value()
            with assign_lock:
                # Another thread may have assigned a value meanwhile.
                if self._initializer is not None:
                    self._take(value)

    def _take(self, value):
        """Take the first value."""
        # The value comes first: readers take no lock.
        self._value, self._initializer, self.shape = value, None, tuple(value.shape)
        self._dtype = dtypes.standardize_dtype(value.dtype)

    def _initial_value(self):
        """A draw of the initializer."""
        # In a context of its own: Ctrl-C at the end of the frame would leave it open,
        # and its bindings would swallow later assignments.
        return contextvars.copy_context().run(self._draw)

    def _draw(self):
        # Layers are also built while a model is traced. The value must be an array all
        # the same, never a tracer. `jax.ensure_compile_time_eval` would give one, too,
        # but as a constant of the program, which XLA would compile and store.
        with jax.core.eval_context(), bound({}, autocast=None):
            value = self._initializer(self.shape, dtype=self._dtype)
            return self._placed(_new_array(value, self._dtype))

    def _placed(self, value):
        return value if self._layout is None else jax.device_put(value, self._layout)

    def _given_value(self, initializer, shape, dtype):
        """Copy the array-like that the constructor was given into a new array."""
        if innermost_stateless(current().bindings) is not None:
            raise ValueError(
                f"Variable {self.path}: an array cannot become the value of a new "
                "variable while in a stateless scope, which leaves variables as they "
                "are. Create it before the scope, or give `shape` and an initializer."
            )
        with jax.core.eval_context(), bound({}, autocast=None):
            value = _new_array(initializer, dtype)
            if isinstance(initializer, jax.Array) and value is initializer:
                # Training donates the array, and XLA would delete the caller's.
                value = jnp.copy(value)
            if shape is not None and tuple(shape) != tuple(value.shape):
                raise ValueError(
                    f"Variable {self.path}: shape={tuple(shape)} does not match the "
                    f"initial value's shape {tuple(value.shape)}."
                )
            return value

    @property
    def dtype(self) -> str:
        """Name of the dtype of `value`: inside of a layer, its compute dtype."""
        cast = current().autocast
        if cast is not None and self._autocast and "float" in self._dtype:
            return cast
        return self._dtype

    @property
    def value(self) -> jax.Array:
        """The current array: inside a bridge the array bound there, else its own."""
        frame = current()
        value = None
        if frame.bindings is not None:
            value = frame.bindings.lookup(self)
        if value is None:
            value = self._own_array()
        if frame.on_read is not None:
            value = frame.on_read(self, value)
        if frame.autocast is not None and self._autocast:
            if jnp.issubdtype(value.dtype, jnp.floating):
                return value.astype(frame.autocast)
        return value

    def _own_array(self):
        """The array that the Variable has itself, or that its lease has."""
        while True:
            # A lock would more than double the 0.3 us of reading. Without it, another
            # thread may end its lease between the two reads here, and both give None.
            value, lease = self._value, self._lease
            if lease is not None:
                return lease.read(self)
            if value is not None:
                return value
            if self._initializer is not None:
                frame = current()
                loading = frame.serialization.loading
                if loading and (value := loading.stand_in(self)) is not None:
                    return value
                if innermost_stateless(frame.bindings) is not None:
                    return self._initial_value()
                # As if it had been drawn when the Variable was made.
                with jax.default_device(None), jax.transfer_guard("allow"):
                    self.initialize()

    def assign(self, value: Any) -> Any:
        """Replace the value.

        Args:
            value: array-like of the Variable's shape; cast to its dtype.

        Returns:
            The new value.

        Raises:
            ValueError: `value` has another shape.
        """
        bindings, free = current().bindings, self._lease is None
        # A leased Variable takes numpy as it is: metrics are reset in each epoch, and
        # to send one zero to the device takes longer than a small step, 0.03 ms.
        if bindings is not None or free or not isinstance(value, np.ndarray):
            value = _new_array(value, self._dtype)
        if tuple(value.shape) != self.shape:
            raise ValueError(
                f"Variable {self.path}: cannot assign a value of shape "
                f"{tuple(value.shape)}; the variable's shape is {self.shape}."
            )
        if bindings is not None:
            bindings.bind(self, value)
            return value
        with assign_lock:
            if self._lease is not None:
                self._lease.write(self, value)
            else:
                if isinstance(value, np.ndarray):  # the lease has ended since `free`
                    value = _new_array(value, self._dtype)
                self._value, self._initializer = value, None
        return value

    def assign_add(self, value: Any) -> Any:
        """Add to the value; returns the new value.

        Args:
            value: array-like that broadcasts to the Variable's shape.
        """
        return self.assign(self.value + _new_array(value, self.dtype))

    def assign_sub(self, value: Any) -> Any:
        """Subtract from the value; returns the new value.

        Args:
            value: array-like that broadcasts to the Variable's shape.
        """
        return self.assign(self.value - _new_array(value, self.dtype))

    @property
    def trainable(self) -> bool:
        """Do optimizers update it?"""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)

    @property
    def overwrite_with_gradient(self) -> bool:
        """Does its gradient replace the value, as for the scales of float8?"""
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
    def regularizer(self) -> Any:
        """Function from the value to a penalty of the loss, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value):
        self._regularizer = self._checked("regularizer", value)

    @property
    def constraint(self) -> Any:
        """Function that projects the value after each step, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value):
        self._constraint = self._checked("constraint", value)

    def _checked(self, attribute, value):
        if value is not None and not callable(value):
            raise ValueError(
                f"Variable {self.path}: Invalid value for attribute `{attribute}`: "
                f"expected a function of an array, or None, got {value!r}."
            )
        return value

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def numpy(self) -> np.ndarray:
        """The value as a new numpy array."""
        return np.array(self.value)

    def __repr__(self):
        waits = self._initializer and innermost_stateless(current().bindings)
        value = "" if waits else f", value={self.value}"
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

    def __getitem__(self, index) -> jax.Array:
        return self.value[index]

    def __len__(self):
        return len(self.value)

    def __iter__(self) -> Iterator[jax.Array]:
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
        return registry.get_op("Round")(self.value, ndigits or 0)

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


def unique_paths(variables: Iterable[Variable]) -> dict[str, Variable]:
    """{path: Variable}, in order; a path that is taken becomes path_1, path_2, …

    >>> list(unique_paths([Variable(0.0, name="a"), Variable(1.0, name="a")]))
    ['a', 'a_1']
    """
    table, counts = {}, {}
    for variable in variables:
        path = own = variable.path
        while path in table:
            counts[own] = counts.get(own, 0) + 1
            path = f"{own}_{counts[own]}"
        table[path] = variable
    return table


def _operand(x):
    if isinstance(x, (list, tuple, np.ndarray, Variable)):
        return convert_to_tensor(x)
    return x


install_operators(Variable, _operand)

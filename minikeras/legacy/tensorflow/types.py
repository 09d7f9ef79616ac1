"""TensorFlow's types of tensors, shapes and dtypes, over those of JAX and NumPy."""

import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import Variable, is_sparse
from minikeras.data.dataset.iterator import DataArray

# Two sizes in the place of None: what differs between them depends on it.
FILLS = (5040, 10080)


class DType(str):
    """A dtype: its name, so that it equals the dtypes of NumPy, JAX and Keras."""

    name = property(str)
    base_dtype = real_dtype = property(lambda self: self)
    as_numpy_dtype = property(lambda self: object if self == "string" else self.np.type)
    is_floating = property(lambda self: "float" in self and self != "string")
    is_integer = property(lambda self: "int" in self)
    is_complex = property(lambda self: "complex" in self)
    is_bool = property(lambda self: self == "bool")
    is_unsigned = property(lambda self: self.startswith("uint"))
    size = property(lambda self: self.np.itemsize)
    min = property(lambda self: self.limits[0])
    max = property(lambda self: self.limits[1])

    @property
    def np(self) -> Any:
        """The dtype of NumPy."""
        return jnp.dtype(str(self))

    @property
    def limits(self) -> tuple:
        """The least and the largest value."""
        if self == "bool":
            return False, True
        info = jnp.iinfo(self.np) if self.is_integer else jnp.finfo(self.np)
        return info.min, info.max

    def __repr__(self):
        return f"tf.{self}"


DTYPES = {
    name: DType(name)
    for name in """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16
    float32 float64 bfloat16 complex64 complex128 string""".split()
}
DTYPES |= {
    "double": DTYPES["float64"],
    "half": DTYPES["float16"],
    "resource": DType("resource"),
    "variant": DType("variant"),
}


def as_dtype(type_value):
    """The `tf.DType` of a name, or of a dtype of NumPy or Python."""
    if type_value in (int, float, str):
        return DType({int: "int32", float: "float32", str: "string"}[type_value])
    name = getattr(type_value, "name", type_value)
    return DType(name if isinstance(name, str) else np.dtype(name).name)


def jax_dtype(dtype):
    """JAX's dtype; 64 bits become 32 unless JAX is in its mode of 64 bits."""
    if dtype is None:
        return None
    return jax.dtypes.canonicalize_dtype(as_dtype(dtype).np)


class TensorShape(tuple):
    """A shape: a tuple of sizes, None where unknown, with TensorFlow's methods."""

    __slots__ = ()

    def __new__(cls, dims=()):
        dims = (dims,) if isinstance(dims, int) else dims
        if dims is None:
            raise ValueError("TensorShape: tensors of JAX have a rank; give the sizes.")
        return tuple.__new__(cls, (None if d is None else int(d) for d in dims))

    ndims = rank = property(len)
    dims = property(list)

    def as_list(self) -> list:
        """The sizes as a list."""
        return list(self)

    def is_fully_defined(self) -> bool:
        """Are all sizes known?"""
        return None not in self

    def num_elements(self) -> int | None:
        """The product of the sizes; None if one is unknown."""
        return int(np.prod(self, dtype=int)) if self.is_fully_defined() else None

    def concatenate(self, other) -> "TensorShape":
        """The sizes of both shapes, one after the other."""
        return TensorShape((*self, *other))

    def with_rank(self, rank) -> "TensorShape":
        """The shape itself; ValueError if it has another rank."""
        if len(self) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}.")
        return self

    def is_compatible_with(self, other) -> bool:
        """Can both be the shape of one tensor?"""
        pairs = zip(self, other, strict=False)
        same = all(a is None or b is None or a == b for a, b in pairs)
        return len(self) == len(other) and same

    def assert_is_compatible_with(self, other) -> None:
        """ValueError unless both can be the shape of one tensor."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {tuple(other)} are incompatible.")

    def __eq__(self, other):
        return tuple.__eq__(self, tuple(other) if type(other) is list else other)

    def __ne__(self, other):
        return tuple.__ne__(self, tuple(other) if type(other) is list else other)

    __hash__ = tuple.__hash__

    def __getitem__(self, key):
        found = tuple.__getitem__(self, key)
        return TensorShape(found) if isinstance(key, slice) else found

    def __reduce__(self):
        # Who reads the pickle need not have this package.
        return tuple, (tuple(self),)

    __copy__ = lambda self: self  # noqa: E731
    __deepcopy__ = lambda self, memo: self  # noqa: E731


# Maps over trees go into shapes as into plain tuples, and give plain tuples.
jax.tree_util.register_pytree_node(
    TensorShape, lambda shape: (tuple(shape), None), lambda _, sizes: tuple(sizes)
)


class SizeArray(np.ndarray):
    """Sizes that are known while a function is compiled, and what follows from them.

    Arithmetic and parts give such arrays again; an entry can stand where JAX needs an
    int.
    """

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return np.asarray(array).view(SizeArray)

    def __getitem__(self, key):
        return np.asarray(super().__getitem__(key)).view(SizeArray)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __hash__(self):
        return hash(self.tobytes())

    def numpy(self) -> Any:
        """The plain array or number of NumPy."""
        return np.asarray(self)[()]

    def get_shape(self) -> TensorShape:
        """The shape of the array of sizes."""
        return TensorShape(self.shape)


def as_sizes(x: Any) -> Any:
    """The arrays of a tree as `SizeArray`s of 32 bits."""
    if isinstance(x, (list, tuple)):
        items = [as_sizes(y) for y in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    array = np.asarray(x)
    return array.astype(jax.dtypes.canonicalize_dtype(array.dtype)).view(SizeArray)


class RecordedSizes(NamedTuple):
    """How sizes follow from tensors; the form in which graphs and files have it."""

    mark: str
    function: str
    args: Any
    kwargs: Any


SIZE_MARK = "__size__"


class SymbolicSizes:
    """Sizes of a symbolic tensor, of which some are not known yet.

    Args:
        recorded: what gives them when the tensors have values.
        compute: `compute(recorded, fill)` gives them with `fill` for what is unknown.
    """

    # NumPy's and JAX's operators leave the operation to this class.
    __array_priority__ = 200

    def __init__(self, recorded: RecordedSizes, compute: Any):
        self.recorded, self.compute = recorded, compute

    def sample(self, fill: int) -> Any:
        """The sizes, with `fill` in each entry that follows from an unknown one."""
        return self.compute(self.recorded, fill)

    @classmethod
    def make(cls, recorded: RecordedSizes, compute: Any) -> Any:
        """The symbolic sizes; the sizes themselves if they depend on no unknown one."""
        self = cls(recorded, compute)
        first, second = (self.sample(fill) for fill in FILLS)
        if isinstance(first, (list, tuple)):
            parts = (self[i] for i in range(len(first)))
            return type(first)(parts)
        return first if np.array_equal(first, second) else self

    shape = property(lambda self: TensorShape(self.sample(FILLS[0]).shape))
    dtype = property(lambda self: self.sample(FILLS[0]).dtype)

    def get_shape(self) -> TensorShape:
        """The shape of the array of sizes."""
        return self.shape

    # Replaced by the operators that record.
    def __getitem__(self, key) -> Any: ...

    def __len__(self):
        return len(self.sample(FILLS[0]))

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __index__(self):
        raise TypeError(
            "This size of a symbolic tensor is not known before the model gets data, "
            "so no Python int can be made of it. Pass it to a function of `tf`, such "
            "as tf.reshape, tf.zeros or tf.random.normal, or take -1 in a reshape."
        )

    __int__ = __float__ = __bool__ = __array__ = __jax_array__ = __index__


_OPERATORS = "add sub mul truediv floordiv mod pow neg eq ne lt le gt ge getitem"
OPERATORS = {name: getattr(operator, name) for name in _OPERATORS.split()}


class _TensorType(type):
    def __instancecheck__(cls, x):
        kinds = (jax.Array, KerasTensor, SizeArray, SymbolicSizes, DataArray)
        return isinstance(x, kinds)


class Tensor(metaclass=_TensorType):
    """What arrays, tracers and symbolic tensors count as under `isinstance`."""


def is_tensor(x):
    """Is `x` a tensor or a Variable?"""
    return isinstance(x, (Tensor, Variable)) or is_sparse(x)


class TensorSpec:
    """Shape and dtype of a tensor.

    Args:
        shape: the sizes, None where unknown; None for any shape.
        dtype: of the tensor.
        name: of the tensor.
    """

    def __init__(self, shape=None, dtype="float32", name=None):
        self.shape = None if shape is None else TensorShape(shape)
        self.dtype, self.name = as_dtype(dtype), name

    @classmethod
    def from_tensor(cls, tensor, name=None) -> "TensorSpec":
        """The spec of a tensor."""
        return cls(tensor.shape, tensor.dtype, name)

    def __repr__(self):
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name})"

    def __eq__(self, other):
        return isinstance(other, TensorSpec) and repr(self) == repr(other)

    def __hash__(self):
        return hash(repr(self))

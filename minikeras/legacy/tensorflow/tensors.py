"""What old code expects of tensors, put on arrays and Variables while it runs.

`x.numpy()`, `x.get_shape()`, `x.set_shape(shape)`, `x.shape.as_list()`, and operators
with lists: `x - [103.9, 116.8, 123.7]`. A shape stays a tuple. `install` and `remove`
are called by `install_as_keras` and its reverse.
"""

import functools
import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from minikeras.core.keras_tensor import KerasTensor
from minikeras.core.variable import Variable
from minikeras.data import Dataset
from minikeras.data.dataset.iterator import DataArray
from minikeras.legacy.tensorflow.dispatch import array
from minikeras.legacy.tensorflow.types import TensorShape

_ARITHMETIC = "add sub mul truediv floordiv mod pow matmul"
_OPERATORS = "eq ne lt le gt ge".split() + [
    f"{side}{name}" for name in _ARITHMETIC.split() for side in ("", "r")
]


def _numpy(self):
    """The value as an array or number of NumPy."""
    found = np.array(self)  # a copy, which scripts may write to
    return found if found.ndim else found[()]


def _get_shape(self):
    """The shape, as a `TensorShape`."""
    return TensorShape(self.shape)


def _get_data_shape(self):
    return tuple.__new__(TensorShape, np.ndarray.shape.__get__(self))


def _set_shape(self, shape):
    """Check the shape, which is known."""
    TensorShape(self.shape).assert_is_compatible_with(TensorShape(shape))


class _Shape(property):
    """A property that gives the old one's shape as a `TensorShape`."""

    def __init__(self, old: property):
        read: Any = old.fget
        new = tuple.__new__
        super().__init__(lambda self: new(TensorShape, read(self)), old.fset)
        self.old = old


def _taking_lists(old):
    """An operator that takes lists and tuples of numbers, too."""

    @functools.wraps(old)
    def operator(self, other):
        if type(other) in (list, tuple):
            other = array(other)
            if jnp.issubdtype(self.dtype, jnp.inexact):  # as numbers, they take it over
                other = other.astype(self.dtype)
        return old(self, other)

    return operator


# A Variable has its shape as an attribute of the object.
_OF_VARIABLES = property(
    lambda self: tuple.__new__(TensorShape, vars(self)["shape"]),
    lambda self, shape: vars(self).update(shape=shape),
)


class _OfTensors:
    """A function for `Dataset.map` whose arrays have these methods, too."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *parts):
        return self.function(*jax.tree_util.tree_map(self._tensor, parts))

    @staticmethod
    def _tensor(x):
        return x.view(DataArray) if type(x) is np.ndarray else x


def _map(original):
    @functools.wraps(original)
    def map(self, map_func, *args, **kwargs):
        is_code = inspect.isroutine(map_func)  # not a layer, nor another object
        function = _OfTensors(map_func) if is_code else map_func
        return original(self, function, *args, **kwargs)

    return map


_MAPPING: Any = next(cls for cls in Dataset.__mro__ if "map" in vars(cls))


def _array_type():
    # The class of all concrete arrays has no public name.
    return type(jax.numpy.zeros(()))


def install() -> None:
    """Put TensorFlow's methods on arrays, tracers, symbolic tensors and Variables."""
    for cls in (_array_type(), Tracer, KerasTensor):
        if "get_shape" in vars(cls):
            continue
        cls.get_shape, cls.set_shape = _get_shape, _set_shape
        cls.shape = _Shape(vars(cls)["shape"])
        for name in _OPERATORS if cls is not KerasTensor else ():
            setattr(cls, f"__{name}__", _taking_lists(vars(cls)[f"__{name}__"]))
    if "get_shape" not in vars(DataArray):
        DataArray.get_shape, DataArray.set_shape = _get_shape, _set_shape
        DataArray.shape = property(_get_data_shape, np.ndarray.shape.__set__)
        _MAPPING.map = _map(_MAPPING.map)
    _array_type().numpy = _numpy
    Variable.shape, Variable.get_shape = _OF_VARIABLES, _get_shape
    # Without it JAX leaves `array * symbolic` to the symbolic tensor.
    if "__jax_array__" in vars(KerasTensor):
        KerasTensor._mk_jax_array = KerasTensor.__jax_array__
        del KerasTensor.__jax_array__


def remove() -> None:
    """Take them off again."""
    for cls in (_array_type(), Tracer, KerasTensor):
        if "get_shape" in vars(cls):
            cls.shape = vars(cls)["shape"].old
            del cls.get_shape, cls.set_shape
            for name in _OPERATORS if cls is not KerasTensor else ():
                old = vars(cls)[f"__{name}__"].__wrapped__
                setattr(cls, f"__{name}__", old)
    if "get_shape" in vars(DataArray):
        del DataArray.get_shape, DataArray.set_shape, DataArray.shape
        _MAPPING.map = _MAPPING.map.__wrapped__
    if "numpy" in vars(_array_type()):
        del _array_type().numpy, Variable.shape, Variable.get_shape
    if "_mk_jax_array" in vars(KerasTensor):
        KerasTensor.__jax_array__ = KerasTensor._mk_jax_array
        del KerasTensor._mk_jax_array

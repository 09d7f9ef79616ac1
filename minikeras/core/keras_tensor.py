"""KerasTensor: a symbolic array, of which shape and dtype are known."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from minikeras.core import dtypes, naming, registry
from minikeras.core.operators import Operators


def _read_only(name, doc):
    """Make a property that cannot be set."""

    def refuse(self, value):
        raise AttributeError(
            f"The `{name}` attribute of KerasTensor is immutable. Make a new "
            f"KerasTensor, or use a function of keras.ops; got {value!r}."
        )

    return property(attrgetter(f"_{name}"), refuse, doc=doc)


class KerasTensor(Operators):
    """A symbolic array: the input or output of a node in a graph.

    Args:
        shape: tuple of ints; None for a size that is not known yet.
        dtype: dtype of the array.
        sparse: is the array sparse (`BCOO`)?
        ragged: kept for compatibility; JAX has no ragged arrays.
        record_history: kept for compatibility, without effect.
        name: string, unique by default.
        **kwargs: ignored.

    Raises:
        ValueError: `sparse` and `ragged` are both true, or a size is no int.

    >>> x = KerasTensor((None, 3))
    >>> (x @ KerasTensor((3, 2))).shape
    (None, 2)
    """

    def __init__(
        self,
        shape: Iterable[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        del record_history, kwargs
        if sparse and ragged:
            raise ValueError(
                "KerasTensor: it cannot have `sparse=True` and `ragged=True` at once. "
                "Set one of them."
            )
        self._shape = dtypes.standardize_shape(shape)
        self._dtype = dtypes.standardize_dtype(dtype)
        self._ndim = len(self._shape)
        self._sparse, self._ragged = bool(sparse), bool(ragged)
        self.name = name or naming.auto_name(type(self).__name__)

    # A tensor is shared by all nodes that it enters: a shape that changed would make
    # their recorded outputs wrong.
    shape = _read_only("shape", "Tuple of sizes, None where unknown.")
    dtype = _read_only("dtype", "Name of the dtype.")
    sparse = _read_only("sparse", "Is the array sparse?")
    ragged = _read_only("ragged", "The constructor's `ragged`.")
    ragged_rank = row_splits_dtype = None  # code for Keras asks for them
    ndim = _read_only("ndim", "Number of dimensions.")

    # Methods find ops by their class names: `ops` imports this file, not the reverse.

    def reshape(self, newshape: Iterable[int | None]) -> "KerasTensor":
        """`ops.reshape(self, newshape)`.

        Args:
            newshape: tuple of ints, one of which may be -1.
        """
        return registry.get_op("Reshape")(self, newshape)

    def squeeze(self, axis: int | Iterable[int] | None = None) -> "KerasTensor":
        """`ops.squeeze(self, axis)`.

        Args:
            axis: int, or tuple of ints; None: all axes of size 1.
        """
        return registry.get_op("Squeeze")(self, axis)

    def __getitem__(self, key) -> "KerasTensor":
        return registry.get_op("GetItem")(self, key)

    def __round__(self, ndigits=None):
        return registry.get_op("Round")(self, ndigits or 0)

    def __repr__(self):
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, "
            f"sparse={self.sparse}, ragged={self.ragged}, name={self.name}>"
        )

    def _refuse(self, what, remedy, error=TypeError):
        raise error(
            f"{self!r} is symbolic: it doesn't have any actual numerical value, so it "
            f"{what}. {remedy}"
        )

    def __array__(self, dtype=None, copy=None):
        self._refuse(
            "cannot become a numpy array",
            "Use functions of keras.ops, or a layer, to compute with it.",
            ValueError,
        )

    def __jax_array__(self):
        self._refuse(
            "cannot be used as input to a JAX function",
            "Use functions of keras.ops, or a layer whose `call` uses JAX.",
            ValueError,
        )

    def __bool__(self):
        self._refuse("cannot be used as a boolean", "Use keras.ops.where or ops.cond.")

    def __iter__(self):
        remedy = "Use keras.ops.unstack or slices."
        self._refuse("cannot be iterated over", remedy, NotImplementedError)

    def __int__(self):
        self._refuse("cannot become an int", "Call the model on arrays to get values.")

    __float__ = __index__ = __int__


# {operator: class name of the op that a graph records for it}
_BINARY = {
    "add": "Add", "sub": "Subtract", "mul": "Multiply", "truediv": "TrueDivide",
    "floordiv": "FloorDivide", "mod": "Mod", "pow": "Power", "matmul": "Matmul",
    "and": "LogicalAnd", "or": "LogicalOr", "xor": "LogicalXor",
}  # fmt: skip
# Without "eq": as in Keras, tensors are equal when they are the same object, so that
# they can be looked up in dicts and lists.
_COMPARISONS = {
    "ne": "NotEqual", "lt": "Less", "le": "LessEqual", "gt": "Greater",
    "ge": "GreaterEqual",
}  # fmt: skip
_UNARY = {"neg": "Negative", "abs": "Absolute", "invert": "LogicalNot"}


def _install_operators():
    """Give KerasTensor Python's operators, each of which records its op."""
    for name, class_name in (_BINARY | _COMPARISONS).items():

        def forward(self, other, class_name=class_name):
            return registry.get_op(class_name)(self, other)

        def reflected(self, other, class_name=class_name):
            return registry.get_op(class_name)(other, self)

        setattr(KerasTensor, f"__{name}__", forward)
        if name in _BINARY:
            setattr(KerasTensor, f"__r{name}__", reflected)
    for name, class_name in _UNARY.items():
        setattr(
            KerasTensor,
            f"__{name}__",
            lambda self, class_name=class_name: registry.get_op(class_name)(self),
        )
    KerasTensor.__hash__ = object.__hash__
    # Keras fails on `x != None` and records `x != "text"`; here both are true, because
    # code that looks for a missing input or an option asks so.
    differs, never_tensors = KerasTensor.__ne__, (type(None), str)
    KerasTensor.__ne__ = lambda a, b: isinstance(b, never_tensors) or differs(a, b)


_install_operators()


def is_keras_tensor(x: Any) -> bool:
    """Is `x` a KerasTensor?

    Args:
        x: anything.
    """
    return isinstance(x, KerasTensor)

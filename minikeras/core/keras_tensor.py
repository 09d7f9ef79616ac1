"""KerasTensor: the promise of an array, its shape and dtype."""

from operator import attrgetter

from minikeras.core import dtypes, naming, registry


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
        self._ndim = len(self._shape)
        self._sparse, self._ragged = bool(sparse), bool(ragged)
        self.name = name or naming.auto_name(type(self).__name__)

    shape = property(attrgetter("_shape"), doc="Tuple of sizes, None where unknown.")
    dtype = property(attrgetter("_dtype"), doc="Name of the dtype.")
    sparse = property(attrgetter("_sparse"), doc="Does it stand for a sparse array?")
    ragged = property(attrgetter("_ragged"), doc="Always False on JAX.")
    ragged_rank = row_splits_dtype = None  # JAX has no ragged arrays
    ndim = property(attrgetter("_ndim"), doc="Number of dimensions.")

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

    def _refuse(self, what, remedy, error=TypeError):
        raise error(
            f"{self!r} is symbolic: it has no values, so it cannot {what}. {remedy}"
        )

    def __array__(self, dtype=None, copy=None):
        self._refuse(
            "become a numpy array",
            "Use functions of keras.ops, or a layer, to compute with it.",
            ValueError,
        )

    def __jax_array__(self):
        self._refuse(
            "be given to a JAX function",
            "Use functions of keras.ops, or a layer whose `call` uses JAX.",
        )

    def __bool__(self):
        self._refuse("decide a Python condition", "Use keras.ops.where or ops.cond.")

    def __iter__(self):
        remedy = "Use keras.ops.unstack or slices."
        self._refuse("be iterated over", remedy, NotImplementedError)

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

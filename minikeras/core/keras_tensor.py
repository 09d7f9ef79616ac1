"""KerasTensor: the promise of an array, its shape and dtype."""

from operator import attrgetter

from minikeras.core import dtypes, naming, registry


def _fixed(name, doc):
    """A property that refuses to be set."""

    def refuse(self, value):
        raise AttributeError(
            f"The `{name}` attribute of KerasTensor is immutable. Make a new "
            f"KerasTensor, or use a function of keras.ops; got {value!r}."
        )

    return property(attrgetter(f"_{name}"), refuse, doc=doc)


class KerasTensor:
    """A symbolic array: the input or output of a node in a graph.

    Args:
        shape: tuple of ints; None for a size that is not known yet.
        dtype: name of the dtype.
        sparse: does it stand for a sparse (`BCOO`) array?
        ragged: kept for compatibility, JAX has no ragged arrays.
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

    shape = _fixed("shape", "Tuple of sizes, None where unknown.")
    dtype = _fixed("dtype", "Name of the dtype.")
    sparse = _fixed("sparse", "Does it stand for a sparse array?")
    ragged = _fixed("ragged", "As it was given.")
    ragged_rank = row_splits_dtype = None  # JAX has no ragged arrays
    ndim = _fixed("ndim", "Number of dimensions.")

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
    differs, never_tensors = KerasTensor.__ne__, (type(None), str)
    KerasTensor.__ne__ = lambda a, b: isinstance(b, never_tensors) or differs(a, b)


_install_operators()


def is_keras_tensor(x) -> bool:
    """Is `x` symbolic?"""
    return isinstance(x, KerasTensor)
